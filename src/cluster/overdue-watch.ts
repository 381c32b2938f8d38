import { Timer } from '../async/timer.ts'
import { OVERDUE_MS } from './broker-pool.ts'
import type { Cluster } from './cluster.ts'

/** What waits for a broker: requests in flight, or partitions until there is a connection. */
export interface Waiting {
  /** When the oldest began to wait, by `performance.now()`; undefined if nothing waits. */
  readonly waitingSince: number | undefined
  waitingTopics(): ReadonlySet<string>
  /** Ends the waits for partitions that have another leader by now. */
  leaveMoved(): void
}

/**
 * Watches what waits for one broker. When the broker is overdue, metadata is refreshed, which may name newer leaders.
 * There is one timer, no matter how many requests are in flight: it is set again only when it fires.
 */
export class OverdueWatch {
  readonly #cluster: Cluster
  readonly #waiting: Waiting
  readonly #patienceMs: number
  #timer: Timer | undefined
  #isStopped = false

  /** The broker is overdue when something has waited for `patienceMs`. */
  constructor(cluster: Cluster, waiting: Waiting, patienceMs: number) {
    this.#cluster = cluster
    this.#waiting = waiting
    this.#patienceMs = patienceMs
  }

  /** Call this when something begins to wait. */
  start(): void {
    if (this.#timer === undefined) this.#startTimer(this.#patienceMs)
  }

  stop(): void {
    this.#isStopped = true
    this.#timer?.cancel()
  }

  /** The timer does not keep the process alive: the requests do. */
  #startTimer(waitMs: number): void {
    this.#timer = new Timer(waitMs, () => void this.#look()).unref()
  }

  async #look(): Promise<void> {
    if (this.#overdueInMs <= 0) {
      const topics = [...this.#waiting.waitingTopics()]
      // If no broker answers, the wait continues.
      await Promise.allSettled(topics.map((topic) => this.#cluster.refresh(topic)))
      if (this.#isStopped) return
      if (this.#overdueInMs <= 0) this.#waiting.leaveMoved()
    }
    const leftMs = this.#overdueInMs
    if (leftMs === Infinity) this.#timer = undefined
    else this.#startTimer(leftMs > 0 ? leftMs : OVERDUE_MS)
  }

  /** The time until the broker is overdue; Infinity if nothing waits for it. */
  get #overdueInMs(): number {
    const { waitingSince } = this.#waiting
    if (waitingSince === undefined) return Infinity
    return waitingSince + this.#patienceMs - performance.now()
  }
}
