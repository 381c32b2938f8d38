/**
 * Topic ids in requests about a group's offsets. With ids a broker refuses an offset of a deleted topic, rather than
 * storing it for a new topic of the same name (KIP-848's OffsetCommit and OffsetFetch v10, Kafka 4.1).
 */
import { ErrorCode } from '../../../protocol/errors.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import { BrokerError } from '../../errors.ts'
import type { TopicPartition } from '../topic-partition.ts'

/** The last version of OffsetCommit and OffsetFetch with topic names; later versions have only ids. */
export const LAST_WITH_NAMES = 9

export class TopicIds {
  readonly #ids = new Map<string, string>()
  readonly #names = new Map<string, string>()
  readonly #cluster: Cluster
  /**
   * True if every topic has an id. Some brokers support the requests, but return no ids in Metadata (Azure Event
   * Hubs).
   */
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

  /** The highest version that the known ids allow. */
  get maxVersion(): number | undefined {
    return this.areComplete ? undefined : LAST_WITH_NAMES
  }

  /** Returns the field by which a request identifies a topic. */
  named(version: number, name: string): { readonly name?: string; readonly topicId?: string } {
    const topicId = this.#ids.get(name)
    return version > LAST_WITH_NAMES && topicId !== undefined ? { topicId } : { name }
  }

  /** Returns the topics of a response with their names, without topics that were not requested. */
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

  /**
   * Refreshes the metadata if the error says that no topic has this id, or no longer has it. Readers of the topic
   * then get the new id.
   */
  refreshIfUnknown(error: unknown): void {
    if (!(error instanceof BrokerError) || error.errorCode !== ErrorCode.UNKNOWN_TOPIC_ID) return
    if (error.topic !== undefined) this.#cluster.refresh(error.topic).catch(() => undefined)
  }
}
