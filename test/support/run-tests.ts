/**
 * What `npm test` runs: all checks and tests, continuing after a failure. The last line is the sum: each of jest's tests
 * counts as one, and so does each check.
 */
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'

interface Step {
  readonly name: string
  readonly command: readonly string[]
  /** Its tests are counted one by one. */
  readonly isJest?: boolean
}

interface Counts {
  readonly passed: number
  readonly failed: number
}

/**
 * Ends a step that hangs: it has printed nothing for this long. How long a step takes is no test, as the machine may have
 * other things to do. Jest prints a line for each file, and ends a test after ten minutes (jest.config.js): more than
 * that is a hang, which has to end while the run can still report it in its last line.
 */
const SILENCE_MS = 15 * 60_000
/** A step that is told to end gets this long to do so. */
const KILL_AFTER_MS = 5_000

/** First: tests and checks read what is built. */
const BUILD: Step = { name: 'build', command: ['npm', 'run', 'build'] }

/** Each keeps one core busy: two at a time take half as long. */
const CHECKS: readonly Step[] = [
  { name: 'types', command: ['npx', 'tsc', '--noEmit'] },
  { name: 'lint', command: ['npx', 'eslint', '.'] },
  { name: 'format', command: ['npx', 'prettier', '--check', '.'] },
  {
    name: 'public API',
    command: ['npx', 'tsx', 'build/api.ts', '--check'],
  },
  {
    name: 'API reference',
    command: ['npx', 'tsx', 'build/reference.ts', '--check'],
  },
]
const CHECKS_AT_A_TIME = 2

/** Three workers keep two cores busy: some tests with embedded clusters wait for timeouts. */
const FIRST_TESTS: readonly Step[] = [
  {
    name: 'unit and wire tests',
    command: ['npx', 'jest', '--maxWorkers=3', 'test/unit', 'test/wire', 'test/embedded'],
    isJest: true,
  },
]

/** Mostly wait for brokers, one file after the other: each starts brokers of its own. */
const BROKER_TESTS: readonly Step[] = [
  {
    name: 'tests with real brokers',
    command: ['npx', 'jest', '--runInBand', 'test/kafka/'],
    isJest: true,
  },
]

/** Run beside those with brokers, one step after the other. */
const OTHER_TESTS: readonly Step[] = [
  {
    name: 'bundlers and compilers',
    command: ['npx', 'jest', '--runInBand', 'test/bundles'],
    isJest: true,
  },
  {
    // In one JVM; `npm run test:apache-storm` also runs those with daemons and a real Kafka.
    name: 'tests with Apache Storm',
    command: [
      ...['npx', 'jest', '--runInBand'],
      ...['word-count', 'features', 'run'].map((name) => `test/apache-storm/${name}.test.ts`),
    ],
    isJest: true,
  },
]

/** The output of a step, while it runs or all at its end, if another one runs beside it. */
type Showing = 'at once' | 'at its end'

/** Runs a step, and shows its output. */
async function run(step: Step, folder: string, showing: Showing): Promise<Counts> {
  const kept: string[] = []
  const show = (text: string): void => {
    if (showing === 'at once') process.stdout.write(text)
    else kept.push(text)
  }
  show(`\n=== ${step.name}: ${step.command.join(' ')}\n`)
  const report = join(folder, `${step.name}.json`)
  const startedAt = performance.now()
  const reporting = step.isJest === true ? ['--json', `--outputFile=${report}`] : []
  const problem = await execute([...step.command, ...reporting], show)
  const tookS = ((performance.now() - startedAt) / 1000).toFixed(1)
  show(`=== ${step.name}: ${problem ?? 'passed'}, after ${tookS} s\n`)
  process.stdout.write(kept.join(''))
  const own = problem === undefined ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 }
  return step.isJest === true ? ((await countsOf(report, problem)) ?? own) : own
}

/** Runs a command and shows its output; resolves with what went wrong, if anything did. */
function execute(
  command: readonly string[],
  show: (text: string) => void,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    // A group of its own, so that a step that hangs ends with all that it has started.
    const child = spawn(command[0]!, command.slice(1), {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    const kill = (signal: NodeJS.Signals): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, signal)
      } catch {
        // It has ended already.
      }
    }
    const forward = (signal: NodeJS.Signals): void => kill(signal)
    process.on('SIGINT', forward).on('SIGTERM', forward)
    let isSilent = false
    const timers = [
      setTimeout(() => {
        isSilent = true
        kill('SIGTERM')
      }, SILENCE_MS),
      setTimeout(() => kill('SIGKILL'), SILENCE_MS + KILL_AFTER_MS),
    ]
    const pass = (from: Readable): void => {
      from.setEncoding('utf8').on('data', (text: string) => {
        show(text)
        for (const timer of timers) timer.refresh()
      })
    }
    pass(child.stdout)
    pass(child.stderr)
    const end = (problem: string | undefined): void => {
      timers.forEach(clearTimeout)
      process.off('SIGINT', forward).off('SIGTERM', forward)
      resolve(isSilent ? `FAILED: silent for ${SILENCE_MS / 1000} s` : problem)
    }
    child.on('error', (error) => end(`FAILED: ${error.message}`))
    const ended = (code: number | null, signal: NodeJS.Signals | null): void =>
      end(code === 0 ? undefined : `FAILED with ${signal ?? `exit code ${code}`}`)
    child.on('close', ended)
    // A process that it has left behind keeps its output open.
    child.on('exit', (code, signal) => setTimeout(() => ended(code, signal), KILL_AFTER_MS).unref())
  })
}

/** What jest's report says; undefined where there is none. Never all passed when jest says otherwise. */
async function countsOf(report: string, problem: string | undefined): Promise<Counts | undefined> {
  const text = await readFile(report, 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  const parsed: unknown = JSON.parse(text)
  const passed = numberIn(parsed, 'numPassedTests')
  // A file that does not even load has no tests that could fail.
  const broken = numberIn(parsed, 'numRuntimeErrorTestSuites')
  const failed = numberIn(parsed, 'numFailedTests') + broken
  return { passed, failed: problem === undefined ? failed : Math.max(1, failed) }
}

function numberIn(report: unknown, name: string): number {
  const value: unknown =
    typeof report === 'object' && report !== null ? Reflect.get(report, name) : undefined
  if (typeof value !== 'number') throw new Error(`jest's report has no ${name}`)
  return value
}

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'samsa-tests-'))
  const all: Counts[] = []
  try {
    all.push(await run(BUILD, folder, 'at once'))
    const waiting = CHECKS.values()
    const inOrder = async (steps: Iterable<Step>, showing: Showing): Promise<void> => {
      for (const step of steps) all.push(await run(step, folder, showing))
    }
    const checkers = Array.from({ length: CHECKS_AT_A_TIME }, () => inOrder(waiting, 'at its end'))
    await Promise.all(checkers)
    await inOrder(FIRST_TESTS, 'at once')
    await Promise.all([inOrder(BROKER_TESTS, 'at once'), inOrder(OTHER_TESTS, 'at its end')])
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
  const sum = (of: keyof Counts): number => all.reduce((total, counts) => total + counts[of], 0)
  process.exitCode = sum('failed') === 0 ? 0 : 1
  console.log(`\n${sum('passed')} passed, ${sum('failed')} failed`)
}

void main()
