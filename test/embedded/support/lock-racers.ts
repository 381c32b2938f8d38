import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { buildSync } from 'esbuild'
import { join } from 'node:path'

/** How long before a race its time is set: the racers have to learn of it. */
const LEAD_MS = 10

/** Processes that take the lock of a folder at the same time, again and again. */
export class LockRacers implements AsyncDisposable {
  readonly #children: readonly ChildProcess[]
  readonly #lines: readonly AsyncIterator<string>[]

  private constructor(script: string, count: number) {
    this.#children = Array.from({ length: count }, () =>
      spawn(process.execPath, [script], { stdio: ['pipe', 'pipe', 'inherit'] }),
    )
    this.#lines = this.#children.map((child) =>
      createInterface({ input: child.stdout! })[Symbol.asyncIterator](),
    )
  }

  /** `folder` is where the program is built. */
  static async start(folder: string, count: number): Promise<LockRacers> {
    const script = join(folder, 'racer.mjs')
    buildSync({
      entryPoints: ['test/embedded/support/lock-racer.ts'],
      outfile: script,
      bundle: true,
      platform: 'node',
      format: 'esm',
    })
    const racers = new LockRacers(script, count)
    await racers.#answers()
    return racers
  }

  /** What each of them got: `held` or `refused`. */
  async race(folder: string): Promise<readonly string[]> {
    this.#tell(`take ${Date.now() + LEAD_MS} ${folder}`)
    return this.#answers()
  }

  async release(): Promise<void> {
    this.#tell('release')
    await this.#answers()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      this.#children.map(async (child) => {
        const closed = new Promise((resolve) => child.once('close', resolve))
        child.kill('SIGKILL')
        await closed
      }),
    )
  }

  #tell(line: string): void {
    for (const child of this.#children) child.stdin!.write(`${line}\n`)
  }

  #answers(): Promise<readonly string[]> {
    return Promise.all(
      this.#lines.map(async (lines) => {
        const next = await lines.next()
        if (next.done === true) throw new Error('a racer ended')
        return next.value
      }),
    )
  }
}
