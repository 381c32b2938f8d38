import type { Iteration } from '../../async/iteration.ts'
import { deferred, type Deferred } from '../../async/deferred.ts'
import type { Data } from '../intake/serialize.ts'

/** A message as the serializer returned it. */
export interface ProducedMessage {
  /** The key as it was sent. */
  readonly key: Data
  /** The value as it was sent. */
  readonly value: Data
  /** The timestamp that the producer gave the message, in milliseconds since 1970. */
  readonly timestamp: number
}

/** The outcome of a message. */
export interface DeliveryReport extends ProducedMessage {
  /** The topic of the message. */
  readonly topic: string
  /** −1 if the message was rejected before a partition was chosen. */
  readonly partition: number
  /** −1 if the message failed, or the broker did not report it. */
  readonly offset: number
  /** Why the message failed; undefined if it was delivered. */
  readonly error: Error | undefined
}

/** Delivery reports that wait to be read, for one reader. */
export class ReportQueue implements Iteration<DeliveryReport> {
  #reports: DeliveryReport[] = []
  #at = 0
  #isEnded = false
  #waiting: Deferred<void> | undefined
  readonly #onRead: () => void

  constructor(onRead: () => void) {
    this.#onRead = onRead
  }

  /** Reports that were not read yet. */
  get size(): number {
    return this.#reports.length - this.#at
  }

  push(report: DeliveryReport): void {
    this.#reports.push(report)
    this.#wake()
  }

  /** Called when all reports have been added. */
  end(): void {
    this.#isEnded = true
    this.#wake()
  }

  async next(): Promise<IteratorResult<DeliveryReport, undefined>> {
    while (this.size === 0) {
      if (this.#isEnded) return { done: true, value: undefined }
      this.#waiting ??= deferred()
      await this.#waiting.promise
    }
    const value = this.#reports[this.#at++]!
    if (this.#at === this.#reports.length) {
      this.#reports = []
      this.#at = 0
    }
    this.#onRead()
    return { done: false, value }
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  #wake(): void {
    this.#waiting?.resolve()
    this.#waiting = undefined
  }
}
