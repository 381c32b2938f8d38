import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { Mode, Switched } from './modes.ts'

/** A part of the work. */
export interface Part {
  readonly messages: number
  /** Whether what is switched is on. */
  readonly isOn: boolean
}

/** A client that is warm and waits for its turns. */
export class Contestant implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #isEnded: Promise<never>

  private constructor(child: ChildProcess) {
    this.#child = child
    this.#isEnded = once(child, 'exit').then(([code]) => {
      throw new Error(`A client has ended with ${String(code)}`)
    })
    this.#isEnded.catch(() => undefined)
  }

  static async start(dist: string, mode: Mode, switched: Switched): Promise<Contestant> {
    const execArgv = ['--import', 'tsx']
    const child = fork('benchmarks/observability/driver.ts', [dist, mode, switched], { execArgv })
    const contestant = new Contestant(child)
    await contestant.#answer()
    return contestant
  }

  /** Resolves with the microseconds of CPU that the part takes. */
  async work(part: Part): Promise<number> {
    const answer = this.#answer()
    this.#child.send(part)
    return Number(await answer)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.disconnect()
    await this.#isEnded.catch(() => undefined)
  }

  async #answer(): Promise<unknown> {
    const answer = once(this.#child, 'message') as Promise<[unknown]>
    const [message] = await Promise.race([answer, this.#isEnded])
    return message
  }
}
