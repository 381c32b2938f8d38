/** Never rejects: its errors are handled inside. */
export type Job = () => void | Promise<void>

/**
 * Runs jobs one at a time, in order. A job that returns nothing creates no promise: a bolt that
 * processes its tuples synchronously finishes everything that has arrived in one turn of the event
 * loop.
 */
export class SerialQueue {
  #jobs: Job[] = []
  #next = 0
  #isBusy = false

  get length(): number {
    return this.#jobs.length - this.#next
  }

  get isIdle(): boolean {
    return !this.#isBusy
  }

  push(job: Job): void {
    this.#jobs.push(job)
    if (!this.#isBusy) this.#drain()
  }

  /** Removes the jobs that have not started. */
  clear(): void {
    this.#jobs = []
    this.#next = 0
  }

  #drain(): void {
    this.#isBusy = true
    while (this.#next < this.#jobs.length) {
      const job = this.#jobs[this.#next++]!
      const running = job()
      if (running instanceof Promise) {
        void running.then(() => this.#drain())
        return
      }
    }
    this.clear()
    this.#isBusy = false
  }
}
