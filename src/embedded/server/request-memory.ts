/**
 * The bytes of requests that wait for responses, over all connections of a cluster. Like Kafka's
 * `queued.max.request.bytes`, it accepts a request of any size while there is any room, so that a
 * large one does not starve.
 */
export class RequestMemory {
  readonly #maxBytes: number
  readonly #waiting = new Set<() => void>()
  #usedBytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Returns false, and reserves nothing, while there is no room. */
  take(bytes: number): boolean {
    if (this.#usedBytes >= this.#maxBytes) return false
    this.#usedBytes += bytes
    return true
  }

  give(bytes: number): void {
    this.#usedBytes -= bytes
    for (const retry of this.#waiting) {
      if (this.#usedBytes >= this.#maxBytes) return
      this.#waiting.delete(retry)
      retry()
    }
  }

  /** Calls the listener when there is room. The same listener waits only once. */
  wait(retry: () => void): void {
    this.#waiting.add(retry)
  }

  stopWaiting(retry: () => void): void {
    this.#waiting.delete(retry)
  }
}
