import { spawn } from 'node:child_process'
import { guard, unguard } from '../../test/support/kafka/watchdog.ts'
import { commandOf, type Client } from './clients.ts'
import type { Description, Measurement, Task } from './task.ts'

/** Beyond the time that its task may take: connecting, joining a group, closing, and a slow machine. */
const GRACE_MS = 60_000

/** A run that gave no figures, with the client's own words. */
export class DriverError extends Error {
  override readonly name = 'DriverError'

  constructor(message: string) {
    // Reports are for others: where this repository lies on this machine is nothing to them.
    super(message.replaceAll(`${process.cwd()}/`, ''))
  }
}

/** What this client can do; throws DriverError if it isn't installed. */
export async function describe(client: Client, signal: AbortSignal): Promise<Description> {
  return (await say(client, 'describe', [], GRACE_MS, signal)) as Description
}

/** Runs the task in a process of its own. */
export async function measure(
  client: Client,
  task: Task,
  signal: AbortSignal,
  nodeOptions: readonly string[] = [],
): Promise<Measurement> {
  const steps = 3 + (task.shares?.length ?? 0)
  const timeoutMs = task.warmUpMs + steps * task.limitMs + GRACE_MS
  const given = task.task === 'start' ? { ...task, startedAt: Date.now() } : task
  return (await say(client, JSON.stringify(given), nodeOptions, timeoutMs, signal)) as Measurement
}

async function say(
  client: Client,
  argument: string,
  nodeOptions: readonly string[],
  timeoutMs: number,
  signal: AbortSignal,
): Promise<unknown> {
  signal.throwIfAborted()
  const [program, ...args] = commandOf(client, nodeOptions)
  // A process group of its own: a driver may have started another program, and both are to end.
  const child = spawn(program!, [...args, argument], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    // The optional native codecs are there for tests: what is compared is the client that everyone installs.
    env: { ...process.env, SAMSA_NATIVE_CODECS: 'off' },
  })
  const { pid } = child
  if (pid !== undefined) guard(-pid)
  const kill = (): void => {
    if (pid === undefined) return
    try {
      process.kill(-pid, 'SIGKILL')
    } catch {
      // It has ended.
    }
  }
  const late = AbortSignal.timeout(timeoutMs)
  const over = AbortSignal.any([signal, late])
  over.addEventListener('abort', kill)
  let output = ''
  let errors = ''
  child.stdout.on('data', (data: Buffer) => (output += data.toString()))
  child.stderr.on('data', (data: Buffer) => (errors += data.toString()))
  let ended: string
  try {
    ended = await new Promise<string>((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (code, by) => resolve(by === null ? `exit code ${code}` : `signal ${by}`))
    })
  } catch (error) {
    throw new DriverError(`${program!} cannot be started: ${(error as Error).message}`)
  } finally {
    over.removeEventListener('abort', kill)
    kill()
    if (pid !== undefined) unguard(-pid)
  }
  signal.throwIfAborted()
  if (late.aborted) throw new DriverError(`it did not end in ${timeoutMs / 1000} s`)
  return parse(output, `${errors}\nended with ${ended}`)
}

/** The last line that is JSON: clients may print words of their own. */
function parse(output: string, errors: string): unknown {
  const line = output
    .trimEnd()
    .split('\n')
    .findLast((text) => text.startsWith('{'))
  if (line === undefined) {
    const said = (errors.trim() || output.trim()).split('\n')
    throw new DriverError(
      said.find((text) => text.includes('not installed')) ?? said.slice(-5).join(' | '),
    )
  }
  const value: unknown = JSON.parse(line)
  if (typeof value === 'object' && value !== null && 'error' in value) {
    throw new DriverError(String(value.error))
  }
  return value
}
