/**
 * The bytes of requests that wait for their answers, over all connections of a cluster, as Kafka's
 * `queued.max.request.bytes` bounds them: a request is let in while there is any room, whatever its size, so
 * that a large one does not starve.
 */
export class RequestMemory {
  readonly #maxBytes: number
  readonly #waiting = new Set<() => void>()
  #usedBytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Returns false, and takes nothing, while there is no room. */
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

  /** Calls it once there is room. The same one waits only once. */
  wait(retry: () => void): void {
    this.#waiting.add(retry)
  }

  stopWaiting(retry: () => void): void {
    this.#waiting.delete(retry)
  }
}
