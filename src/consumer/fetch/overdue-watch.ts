import { Timer } from '../../async/timer.ts'
import { OVERDUE_MS } from '../../cluster/broker-pool.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import type { Asked } from './fetch-response.ts'
import type { Source } from './source.ts'

/**
 * Watches a poll whose response is overdue: later than the request allows. When metadata names another leader, the poll
 * is cut, and its partitions are fetched from their new leaders.
 */
export class OverdueWatch {
  readonly #cluster: Cluster
  readonly #source: Source
  readonly #asked: readonly Asked[]
  #timer: Timer
  #isStopped = false

  constructor(cluster: Cluster, source: Source, asked: readonly Asked[], maxWaitMs: number) {
    this.#cluster = cluster
    this.#source = source
    this.#asked = asked
    this.#timer = this.#start(maxWaitMs + OVERDUE_MS)
  }

  /** Callers call this when the poll has ended. */
  stop(): void {
    this.#isStopped = true
    this.#timer.cancel()
  }

  #start(waitMs: number): Timer {
    return new Timer(waitMs, () => void this.#look())
  }

  async #look(): Promise<void> {
    const topics = new Set(this.#asked.map(({ toFetch }) => toFetch.topic))
    // If no broker answers, the poll waits on.
    await Promise.allSettled([...topics].map((topic) => this.#cluster.refresh(topic)))
    if (this.#isStopped) return
    if (this.#asked.some((one) => this.#isLedElsewhere(one))) this.#source.cut()
    else this.#timer = this.#start(OVERDUE_MS)
  }

  #isLedElsewhere({ toFetch: { topic, partition, leaderEpoch } }: Asked): boolean {
    if (this.#cluster.leaderEpochOf(topic, partition) <= leaderEpoch) return false
    const leader = this.#cluster.leaderOf(topic, partition)
    return leader !== undefined && leader !== this.#source.broker
  }
}
