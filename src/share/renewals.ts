import { lockLost } from './errors.ts'
import type { HeldRecord } from './held-record.ts'

export interface RenewalsOptions {
  /** Returns the records that are neither acknowledged nor lost. */
  readonly openRecords: () => readonly HeldRecord[]
  /** Returns when the application last requested a message, by `performance.now()`. */
  readonly lastRequestedAt: () => number
}

/**
 * Renews locks when half of their time has passed (KIP-1222): the locks of messages that handlers of `run` are
 * processing, and of messages that wait in the buffer while the application makes progress. If a lock expired in the
 * buffer, the broker would deliver the message once more and count a failed delivery.
 *
 * Records whose locks ended long ago are lost: an application that never acknowledges them does not keep their memory.
 */
export class Renewals {
  readonly #options: RenewalsOptions
  #lockMs = Infinity
  #timer: NodeJS.Timeout | undefined

  constructor(options: RenewalsOptions) {
    this.#options = options
  }

  /** Called when records were acquired, with the duration of their locks. */
  acquired(lockMs: number): void {
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
    const isProgressing = now - this.#options.lastRequestedAt() < this.#lockMs
    const isHandling = records.some(({ isHandled }) => isHandled)
    for (const record of records) {
      const isKept =
        record.isHandled || (record.state === 'waiting' && (isProgressing || isHandling))
      const leftMs = record.lockedUntil - now
      if (isKept && leftMs > 0 && leftMs <= this.#lockMs / 2) record.owner.renew(record)
      else if (leftMs < -this.#lockMs) {
        record.owner.lose(record, lockLost(record.message, 'the lock expired'))
      }
    }
    this.#timer = records.length === 0 ? undefined : this.#later()
  }
}
