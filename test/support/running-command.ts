import { spawn, type ChildProcess } from 'node:child_process'
import { deferred } from '../../src/async/deferred.ts'

/** A program that runs until it is told to end: killed at the end of the block, if it still runs. */
export class RunningCommand implements AsyncDisposable {
  stdout = ''
  stderr = ''
  readonly #child: ChildProcess
  readonly #changed = new Set<() => void>()
  readonly #ended = deferred<{ readonly exitCode: number | null; readonly signal: string | null }>()
  #hasEnded = false

  /** `env` is added to the variables of this process. */
  constructor(
    command: string,
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ) {
    const child = spawn(command, args, {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#child = child
    // A chunk may end within a character.
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text
      this.#tell()
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
      this.#tell()
    })
    child.on('error', (error) => this.#ended.reject(error))
    child.on('close', (exitCode, signal) => {
      this.#hasEnded = true
      this.#ended.resolve({ exitCode, signal })
      this.#tell()
    })
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  /** Resolves when it has ended. */
  get ended(): Promise<{ readonly exitCode: number | null; readonly signal: string | null }> {
    return this.#ended.promise
  }

  /** What fits in its output, standard error included, as soon as it is there. */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.stdout) ?? pattern.exec(this.stderr)
      if (match !== null) return match
      if (this.#hasEnded) throw new Error(`it ended without: ${this.stdout}${this.stderr}`)
      await new Promise<void>((resolve) => this.#changed.add(resolve))
    }
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#hasEnded) this.kill('SIGKILL')
    await this.#ended.promise
  }

  #tell(): void {
    for (const resolve of this.#changed) resolve()
    this.#changed.clear()
  }
}
