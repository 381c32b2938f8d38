/** The transaction tests of other clients. Their npm packages contain no tests, so they come from their repositories. */
import { join } from 'node:path'
import type { KafkaVersion } from '../../../src/embedded/index.ts'

export interface Suite {
  readonly name: string
  /** Where git fetches it from. */
  readonly repository: string
  readonly commit: string
  /** What is installed: dependencies of its package.json by name, or packages with a version of their own. */
  readonly packages: readonly string[]
  /** The version that the embedded cluster presents. */
  readonly version: KafkaVersion
  /** The file with the addresses of the brokers on localhost, and their ports there. */
  readonly addresses: { readonly file: string; readonly ports: readonly string[] }
  /** The program and arguments, in the folder of the suite. */
  readonly command: readonly string[]
  readonly environment: Readonly<Record<string, string>>
}

const KAFKAJS: Suite = {
  name: 'kafkajs',
  repository: 'https://github.com/tulios/kafkajs.git',
  commit: '55b0b416308b9e597a5a6b97b0a6fd6b846255dc',
  // prettier-ignore
  packages: ['jest', 'jest-circus', 'jest-extended', 'execa', 'glob', 'ip', 'jsonwebtoken', 'mockdate', 'semver', 'uuid'],
  // One of its tests sends invalid offsets, which brokers ignore before 3.9.
  version: '2.8',
  addresses: { file: 'testHelpers/index.js', ports: ['9092', '9095', '9098'] },
  command: [
    'node_modules/.bin/jest',
    // Its own reporter is not installed. The option takes all arguments up to the next option.
    '--reporters=default',
    '--ci',
    '--runInBand',
    '--forceExit',
    // Of the tests of the producer, those of transactions: others need TLS and logins.
    '--testNamePattern=^(?!Producer (?!transactions|>))',
    'src/broker/__tests__/(addPartitionsToTxn|addOffsetsToTxn|txnOffsetCommit|initProducerId|endTxn)',
    'src/producer/__tests__/concurrentTransaction',
    'src/producer/eosManager',
    'src/producer/(index|sendMessages).spec',
    'src/consumer/__tests__/(consumeMessages|controlBatches|filterAbortedMessages)',
  ],
  environment: { KAFKA_VERSION: '2.4', NODE_ENV: 'test', KAFKAJS_NO_PARTITIONER_WARNING: '1' },
}

const PRODUCER_TESTS = join('test', 'clients', 'producer')

const PLATFORMATIC: Suite = {
  name: '@platformatic/kafka',
  repository: 'https://github.com/platformatic/kafka.git',
  commit: 'f84b496dd6247411366791b74cd871bf6a3b944e',
  packages: [
    '@platformatic/dynamic-buffer',
    '@platformatic/wasm-utils',
    'ajv',
    'ajv-draft-04',
    'avsc',
    'debug',
    'fastq',
    'mnemonist',
    'protobufjs',
    'scule',
    '@watchable/unpromise',
    // It runs its TypeScript without a build, which needs Node.js 22.
    'node@24',
  ],
  version: '4.4',
  addresses: { file: join('test', 'helpers.ts'), ports: ['9011'] },
  command: ['node_modules/node/bin/node', '--test', join(PRODUCER_TESTS, 'transactions.test.ts')],
  environment: { KAFKA_VERSION: '4.1.0' },
}

export const SUITES: readonly Suite[] = [KAFKAJS, PLATFORMATIC]
