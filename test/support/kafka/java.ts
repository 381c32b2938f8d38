import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { guardChild, unguard } from './watchdog.ts'
import { waitFor } from './wait.ts'

export const STOP_GRACE_MS = 10_000
const KILL_WAIT_MS = 10_000

function javaCommand(): string {
  const home = process.env['JAVA_HOME']
  return home ? join(home, 'bin', 'java') : 'java'
}

/** Java's version, such as '17.0.15', or nothing when there is no Java. */
export function javaAvailable(): string | undefined {
  const { stderr, status } = spawnSync(javaCommand(), ['-version'], { encoding: 'utf8' })
  return status === 0 ? (/version "([^"]+)"/.exec(stderr)?.[1] ?? 'unknown') : undefined
}

export interface JavaOptions {
  /** For messages: 'broker 1'. */
  readonly name: string
  /** A folder of jars. */
  readonly libs: string
  readonly mainClass: string
  readonly arguments: readonly string[]
  readonly jvmArguments?: readonly string[]
  readonly folder: string
  readonly logFile: string
}

/** A Java program that runs, its output in a file. It ends when this process ends. */
export class JavaProcess {
  readonly name: string
  readonly pid: number
  readonly logFile: string
  /** How it ended ('exit code 1', 'SIGKILL'), or nothing while it runs. */
  ended: string | undefined

  constructor(options: JavaOptions) {
    this.name = options.name
    this.logFile = options.logFile
    const child = spawnJava(options)
    if (child.pid === undefined) {
      child.on('error', () => undefined)
      throw new Error('Java is missing: put "java" on the PATH or set JAVA_HOME')
    }
    this.pid = child.pid
    guardChild(child)
    child.on('exit', (code, signal) => {
      this.ended = signal ?? `exit code ${code}`
    })
    // A test that forgot to stop its broker must still be able to end.
    child.unref()
  }

  log(): string {
    return readFileSync(this.logFile, 'utf8')
  }

  logTail(lines = 30): string {
    return this.log().trimEnd().split('\n').slice(-lines).join('\n')
  }

  signal(signal: NodeJS.Signals): void {
    if (this.ended === undefined) process.kill(this.pid, signal)
  }

  /** SIGTERM, then SIGKILL when it takes too long (or SIGKILL at once, with a grace of 0). */
  async stop(graceMs = STOP_GRACE_MS): Promise<void> {
    await stopProcess(this.pid, () => this.ended === undefined, graceMs)
  }

  /** Lets it outlive this process. */
  release(): void {
    unguard(this.pid)
  }
}

/** Ends a process by its pid; `isAlive` also says whether it is still the process we mean. */
export async function stopProcess(
  pid: number,
  isAlive: () => boolean,
  graceMs = STOP_GRACE_MS,
): Promise<void> {
  const gone = (): true | undefined => (isAlive() ? undefined : true)
  if (gone()) return
  const failure = new Error(`Process ${pid} does not end, not even by SIGKILL`)
  if (graceMs > 0) {
    process.kill(pid, 'SIGTERM')
    // A paused process would see its SIGTERM only after this.
    process.kill(pid, 'SIGCONT')
    const stopped = await waitFor(gone, {
      timeoutMs: graceMs,
      everyMs: 20,
      onTimeout: () => failure,
    }).catch(() => false)
    if (stopped) return
  }
  if (isAlive()) process.kill(pid, 'SIGKILL')
  await waitFor(gone, { timeoutMs: KILL_WAIT_MS, everyMs: 10, onTimeout: () => failure })
}

function spawnJava(options: JavaOptions): ChildProcess {
  const output = openSync(options.logFile, 'a')
  try {
    return spawn(
      javaCommand(),
      [
        ...(options.jvmArguments ?? []),
        '-cp',
        join(options.libs, '*'),
        options.mainClass,
        ...options.arguments,
      ],
      // A session of its own: Ctrl-C is for us to handle, in our order.
      { cwd: options.folder, stdio: ['ignore', output, output], detached: true },
    )
  } finally {
    closeSync(output)
  }
}
