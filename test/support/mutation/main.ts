/**
 * `npm run test:mutation -- producer --sample 0.2`: changes the source in small ways, one at a time, and runs the unit
 * tests that cover the change. A change that no test fails for has survived: a test is missing, or the change makes no
 * difference. The report is printed, and written to `reports/mutation`.
 */
import { Stryker } from '@stryker-mutator/core'
import { Argument, Command } from 'commander'
import { sampleOf } from './sample.ts'

/** The folders of src, and the tests that show what each does. */
const TESTS: Record<string, readonly string[]> = {
  // Transactions need a coordinator. Left out are the tests that take long: all epochs, cuts at each byte, timeouts.
  producer: [
    'unit/producer/**/*.test.ts',
    'embedded/{idempotence,transactional-producer,transactions}.test.ts',
    'embedded/transaction-{coordinator,misuse,partitions,pipelining,prepare}.test.ts',
  ],
  consumer: ['unit/consumer/**/*.test.ts'],
  // Members need a group to be in: most of what they do is tested with the embedded cluster.
  balanced: [
    'unit/balanced/**/*.test.ts',
    'embedded/{balanced,managed}-{consumer,owners,zookeeper}.test.ts',
    'embedded/group{,-faults,-protocols}.test.ts',
    'embedded/before-start.test.ts',
    'embedded/transact.test.ts',
  ],
}
/** A change often makes a test wait forever. The slowest of these tests takes some 5 s. */
const TEST_TIMEOUT_MS = 20_000

interface Options {
  readonly sample: string
  readonly seed: string
  readonly concurrency: string
}

async function main(area: string, options: Options): Promise<void> {
  const mutate = sampleOf(`src/${area}`, Number(options.sample), Number(options.seed))
  console.log(`src/${area}, ${options.sample} of it, seed ${options.seed}`)
  const stryker = new Stryker({
    mutate,
    testRunner: 'jest',
    jest: {
      config: {
        testMatch: TESTS[area]!.map((pattern) => `<rootDir>/test/${pattern}`),
        testTimeout: TEST_TIMEOUT_MS,
      },
      enableFindRelatedTests: false,
    },
    coverageAnalysis: 'perTest',
    // They are changed before a test begins, so that all tests would have to run for each.
    ignoreStatic: true,
    concurrency: Number(options.concurrency),
    // Ends a run that jest does not end, such as a loop without a wait.
    timeoutMS: TEST_TIMEOUT_MS + 10_000,
    ignorePatterns: ['/benchmarks', '/docs', '/api', '/dist', '/reports', '/coverage'],
    reporters: ['clear-text', 'progress-append-only', 'json', 'html'],
    clearTextReporter: { allowColor: false, allowEmojis: false, logTests: false },
    jsonReporter: { fileName: `reports/mutation/${area}.json` },
    htmlReporter: { fileName: `reports/mutation/${area}.html` },
  })
  await stryker.runMutationTest()
}

new Command('test:mutation')
  .addArgument(new Argument('<area>', 'a folder of src').choices(Object.keys(TESTS)))
  .option('--sample <share>', 'of the lines, from 0 to 1', '1')
  .option('--seed <number>', 'of the sample', '1')
  .option('--concurrency <number>', 'processes at a time', '2')
  .action(main)
  .parseAsync()
  .catch((error: unknown) => {
    console.error(error)
    process.exitCode = 1
  })
