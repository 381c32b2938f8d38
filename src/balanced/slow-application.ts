import { MaxPollIntervalError } from '../consumer/max-poll-interval-error.ts'
import type { KafkaError } from '../errors.ts'

export interface SlowApplicationOptions {
  readonly groupId: string
  readonly maxPollIntervalMs: number
  /** How long the application has been processing what it received; 0 while it waits for more. */
  readonly busyForMs: () => number
}

const EFFECT = 'the member blocks its partitions'

/** Reports an application that processes for longer than `maxPollIntervalMs`. */
export class SlowApplication {
  readonly #options: SlowApplicationOptions
  readonly #report: (error: KafkaError) => void
  #isReported = false

  constructor(options: SlowApplicationOptions, report: (error: KafkaError) => void) {
    this.#options = options
    this.#report = report
  }

  /** Each heartbeat calls this. Reports once, until the application has requested more. */
  check(): void {
    const { groupId, maxPollIntervalMs, busyForMs } = this.#options
    const isTooSlow = busyForMs() >= maxPollIntervalMs
    if (isTooSlow && !this.#isReported) {
      this.#report(new MaxPollIntervalError(groupId, maxPollIntervalMs, EFFECT))
    }
    this.#isReported = isTooSlow
  }
}
