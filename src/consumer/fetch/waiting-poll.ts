import type { Cluster } from '../../cluster/cluster.ts'
import type { Waiting } from '../../cluster/overdue-watch.ts'
import type { Asked } from './fetch-response.ts'
import type { Source } from './source.ts'

/**
 * A poll in flight. When metadata names another leader while the response is overdue, the poll is cut, and its
 * partitions are fetched from their new leaders.
 */
export class WaitingPoll implements Waiting {
  readonly waitingSince: number
  readonly #cluster: Cluster
  readonly #source: Source
  readonly #asked: readonly Asked[]

  constructor(cluster: Cluster, source: Source, asked: readonly Asked[], began: number) {
    this.waitingSince = began
    this.#cluster = cluster
    this.#source = source
    this.#asked = asked
  }

  waitingTopics(): ReadonlySet<string> {
    return new Set(this.#asked.map(({ toFetch }) => toFetch.topic))
  }

  leaveMoved(): void {
    if (this.#asked.some((one) => this.#isLedElsewhere(one))) this.#source.cut()
  }

  #isLedElsewhere({ toFetch: { topic, partition, leaderEpoch } }: Asked): boolean {
    const leader = this.#cluster.newerLeader(topic, partition, leaderEpoch)
    return leader !== undefined && leader !== this.#source.broker
  }
}
