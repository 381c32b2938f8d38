/**
 * Topics by id in requests about a group's offsets: an offset of a topic that was deleted is then refused, rather than
 * taken for the topic of the same name that was created since (KIP-848's OffsetCommit and OffsetFetch v10, Kafka 4.1).
 */
import { ErrorCode } from '../../../protocol/errors.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import { BrokerError } from '../../errors.ts'
import type { TopicPartition } from '../topic-partition.ts'

/** Of OffsetCommit and OffsetFetch: later ones name topics by id only. */
export const LAST_WITH_NAMES = 9

export class TopicIds {
  readonly #ids = new Map<string, string>()
  readonly #names = new Map<string, string>()
  readonly #cluster: Cluster
  /** Whether each topic has one. Some brokers know the requests, but tell no ids in Metadata (Azure Event Hubs). */
  readonly areComplete: boolean

  constructor(
    cluster: Cluster,
    partitions: readonly (TopicPartition & { readonly topicId?: string | undefined })[],
  ) {
    this.#cluster = cluster
    let areComplete = true
    for (const { topic, topicId = cluster.known(topic)?.topicId } of partitions) {
      if (topicId === undefined) areComplete = false
      else {
        this.#ids.set(topic, topicId)
        this.#names.set(topicId, topic)
      }
    }
    this.areComplete = areComplete
  }

  /** The highest version that can be asked with what is known. */
  get maxVersion(): number | undefined {
    return this.areComplete ? undefined : LAST_WITH_NAMES
  }

  /** How a request names a topic. */
  named(version: number, name: string): { readonly name?: string; readonly topicId?: string } {
    const topicId = this.#ids.get(name)
    return version > LAST_WITH_NAMES && topicId !== undefined ? { topicId } : { name }
  }

  /** The topics of a response by name; those that were not asked for are left out. */
  withNames<Topic extends { readonly name: string; readonly topicId: string }>(
    version: number,
    topics: readonly Topic[],
  ): Topic[] {
    if (version <= LAST_WITH_NAMES) return [...topics]
    return topics.flatMap((topic) => {
      const name = this.#names.get(topic.topicId)
      return name === undefined ? [] : [{ ...topic, name }]
    })
  }

  /** The id is not, or no longer, that of a topic. Readers of the topic learn the new one from metadata. */
  refreshIfUnknown(error: unknown): void {
    if (!(error instanceof BrokerError) || error.errorCode !== ErrorCode.UNKNOWN_TOPIC_ID) return
    if (error.topic !== undefined) this.#cluster.refresh(error.topic).catch(() => undefined)
  }
}
