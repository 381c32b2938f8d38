/**
 * What `npm test` runs: all checks, one after the other, going on after a failure. The last line is the sum:
 * each of jest's tests counts as one, and so does each check.
 */
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

interface Step {
  readonly name: string
  readonly command: readonly string[]
  /** Its tests are counted one by one. */
  readonly isJest?: boolean
  /** Ends what hangs: several times what it takes on a machine of two cores that has nothing else to do. */
  readonly timeoutMs: number
}

interface Counts {
  readonly passed: number
  readonly failed: number
}

const MINUTE_MS = 60_000
/** A step that is told to end gets this long to do so. */
const KILL_AFTER_MS = 5_000

const STEPS: readonly Step[] = [
  // First: tests run the built command.
  { name: 'build', command: ['npm', 'run', 'build'], timeoutMs: 5 * MINUTE_MS },
  { name: 'types', command: ['npx', 'tsc', '--noEmit'], timeoutMs: 5 * MINUTE_MS },
  { name: 'lint', command: ['npx', 'eslint', '.'], timeoutMs: 5 * MINUTE_MS },
  { name: 'format', command: ['npx', 'prettier', '--check', '.'], timeoutMs: 5 * MINUTE_MS },
  {
    name: 'public API',
    command: ['npx', 'tsx', 'build/api.ts', '--check'],
    timeoutMs: 5 * MINUTE_MS,
  },
  {
    name: 'unit and wire tests',
    command: ['npx', 'jest', '--maxWorkers=2', 'test/unit', 'test/wire', 'test/embedded'],
    isJest: true,
    timeoutMs: 15 * MINUTE_MS,
  },
  {
    // One after the other: each file starts brokers of its own.
    name: 'bundlers and compilers',
    command: ['npx', 'jest', '--runInBand', 'test/bundles'],
    isJest: true,
    timeoutMs: 15 * MINUTE_MS,
  },
  {
    name: 'tests with real brokers',
    command: ['npx', 'jest', '--runInBand', 'test/kafka'],
    isJest: true,
    timeoutMs: 15 * MINUTE_MS,
  },
  {
    name: 'tests with Apache Storm',
    command: ['npx', 'jest', '--runInBand', 'test/apache-storm'],
    isJest: true,
    timeoutMs: 15 * MINUTE_MS,
  },
]

async function run(step: Step, folder: string): Promise<Counts> {
  console.log(`\n=== ${step.name}: ${step.command.join(' ')}`)
  const report = join(folder, 'report.json')
  await rm(report, { force: true })
  const startedAt = performance.now()
  const reporting = step.isJest === true ? ['--json', `--outputFile=${report}`] : []
  const problem = await execute([...step.command, ...reporting], step.timeoutMs)
  const tookS = ((performance.now() - startedAt) / 1000).toFixed(1)
  console.log(`=== ${step.name}: ${problem ?? 'passed'}, after ${tookS} s`)
  const own = problem === undefined ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 }
  return step.isJest === true ? ((await countsOf(report, problem)) ?? own) : own
}

/** Runs a command with its output shown; resolves with what went wrong, if anything did. */
function execute(command: readonly string[], timeoutMs: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    // A group of its own, so that a step that takes too long ends with all that it has started.
    const child = spawn(command[0]!, command.slice(1), {
      stdio: ['ignore', 'inherit', 'inherit'],
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
    let isLate = false
    const timers = [
      setTimeout(() => {
        isLate = true
        kill('SIGTERM')
      }, timeoutMs),
      setTimeout(() => kill('SIGKILL'), timeoutMs + KILL_AFTER_MS),
    ]
    const end = (problem: string | undefined): void => {
      timers.forEach(clearTimeout)
      process.off('SIGINT', forward).off('SIGTERM', forward)
      resolve(isLate ? `FAILED: not done in ${timeoutMs / 1000} s` : problem)
    }
    child.on('error', (error) => end(`FAILED: ${error.message}`))
    child.on('close', (code, signal) =>
      end(code === 0 ? undefined : `FAILED with ${signal ?? `exit code ${code}`}`),
    )
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
  let passed = 0
  let failed = 0
  try {
    for (const step of STEPS) {
      const counts = await run(step, folder)
      passed += counts.passed
      failed += counts.failed
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
  process.exitCode = failed === 0 ? 0 : 1
  console.log(`\n${passed} passed, ${failed} failed`)
}

void main()
