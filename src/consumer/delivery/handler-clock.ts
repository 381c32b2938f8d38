import type { GroupMetrics } from '../../observe/metrics/client-metrics.ts'

/**
 * Times handlers of `run` that are called in the order of keys. Handlers that return nothing take less time than a clock
 * reading: the time up to the next reading is divided among them.
 */
export class HandlerClock {
  readonly #metrics: GroupMetrics
  #readAt = performance.now()
  #unread = 0

  constructor(metrics: GroupMetrics) {
    this.#metrics = metrics
  }

  /** A handler returned nothing, or threw. */
  returned(): void {
    this.#unread++
  }

  /** Callers call this at the end of a turn. */
  read(): void {
    const now = performance.now()
    if (this.#unread > 0) {
      this.#metrics.handlerDuration.recordMs((now - this.#readAt) / this.#unread, this.#unread)
    }
    this.#unread = 0
    this.#readAt = now
  }

  /** Callers call this at the end of a turn that may have called no handler. */
  flush(): void {
    if (this.#unread > 0) this.read()
  }

  /** Callers call this when a handler has returned a pending promise. Returns when that handler began. */
  begin(): number {
    const beganAt = this.#readAt
    this.read()
    return beganAt
  }
}
