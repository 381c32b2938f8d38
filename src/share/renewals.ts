import type { HeldRecord } from './held-record.ts'

export interface RenewalsOptions {
  /** Records that are neither acknowledged nor lost. */
  readonly openRecords: () => readonly HeldRecord[]
  /** When the application took a message last, by `performance.now()`. */
  readonly lastTaken: () => number
}

/**
 * Renews locks when half of their time is over (KIP-1222): of the messages that handlers of `run` are processing, and
 * of those that wait in the buffer while the application makes progress. A message whose lock runs out in the buffer
 * would be delivered by the broker once more, and count as a failed delivery.
 */
export class Renewals {
  readonly #options: RenewalsOptions
  #lockMs = Infinity
  #timer: NodeJS.Timeout | undefined

  constructor(options: RenewalsOptions) {
    this.#options = options
  }

  /** Records were lent for so long. */
  lent(lockMs: number): void {
    this.#lockMs = lockMs
    this.#timer ??= this.#later()
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #later(): NodeJS.Timeout {
    return setTimeout(() => this.#renew(), this.#lockMs / 8).unref()
  }

  #renew(): void {
    const now = performance.now()
    const records = this.#options.openRecords()
    const isProgressing = now - this.#options.lastTaken() < this.#lockMs
    const isHandling = records.some(({ isHandled }) => isHandled)
    for (const record of records) {
      const isKept =
        record.isHandled || (record.state === 'waiting' && (isProgressing || isHandling))
      const leftMs = record.lockedUntil - now
      if (isKept && leftMs > 0 && leftMs <= this.#lockMs / 2) record.owner.renew(record)
    }
    this.#timer = records.length === 0 ? undefined : this.#later()
  }
}
