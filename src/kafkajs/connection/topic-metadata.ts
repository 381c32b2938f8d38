import { setTimeout as delay } from 'node:timers/promises'
import { ErrorCode, metadata, type MetadataResponse } from '../../../protocol/index.ts'
import { throwIfFailed } from '../error-from.ts'
import { KafkaJSTopicMetadataNotLoaded } from '../errors.ts'
import { retrying, type RetrySettings } from '../retry.ts'
import type { PartitionMetadata } from '../types/common.ts'
import type { Session } from './session.ts'

type Topic = MetadataResponse['topics'][number]

interface Loaded {
  readonly partitions: PartitionMetadata[]
  readonly loadedAt: number
}

/** A cache of the partitions of topics, in the form that partitioners and assigners get. */
export class TopicMetadata {
  readonly #session: Session
  readonly #retry: RetrySettings
  readonly #create: boolean
  readonly #maxAgeMs: number
  readonly #topics = new Map<string, Loaded>()

  constructor(session: Session, retry: RetrySettings, create: boolean, maxAgeMs: number) {
    this.#session = session
    this.#retry = retry
    this.#create = create
    this.#maxAgeMs = maxAgeMs
  }

  /** The partitions of a topic; undefined if they are unknown or older than the maximum age. */
  fresh(topic: string): PartitionMetadata[] | undefined {
    const loaded = this.#topics.get(topic)
    if (loaded === undefined || performance.now() - loaded.loadedAt > this.#maxAgeMs)
      return undefined
    return loaded.partitions
  }

  /**
   * The partitions of a topic, of any age; an empty list for an unknown topic. Throws KafkaJSTopicMetadataNotLoaded if
   * no topic has been loaded.
   */
  find(topic: string): PartitionMetadata[] {
    if (this.#topics.size > 0) return this.#topics.get(topic)?.partitions ?? []
    throw new KafkaJSTopicMetadataNotLoaded('Topic metadata not loaded', { topic })
  }

  /** Removes a topic, because its partitions may have changed. */
  forget(topic: string): void {
    this.#topics.delete(topic)
  }

  /**
   * Loads topics, which the broker may create, and returns their partitions. Retries and throws as kafkajs does, for
   * example without a leader.
   */
  async load(topics: readonly string[]): Promise<ReadonlyMap<string, PartitionMetadata[]>> {
    if (topics.length === 0) return new Map()
    return retrying(this.#retry, async () => {
      const { topics: found } = await this.describe(topics, this.#create)
      for (const { errorCode } of found) throwIfFailed(errorCode)
      const loadedAt = performance.now()
      const loaded = new Map<string, PartitionMetadata[]>()
      for (const { name, partitions } of found) {
        if (name !== null) loaded.set(name, partitionMetadataOf(partitions))
      }
      for (const [name, partitions] of loaded) this.#topics.set(name, { loadedAt, partitions })
      return loaded
    })
  }

  /** Requests the metadata of these topics, or of all, without caching it. */
  async describe(topics: readonly string[] | 'all', create = false): Promise<MetadataResponse> {
    const client = await this.#session.client()
    const body = {
      topics: topics === 'all' ? null : topics.map((name) => ({ name })),
      allowAutoTopicCreation: create,
    }
    return client.request(metadata, body)
  }

  /** Waits until all partitions of the topics have leaders. Resolves with false if the time has passed before. */
  async untilLed(topics: readonly string[], timeoutMs: number): Promise<boolean> {
    const until = performance.now() + timeoutMs
    for (;;) {
      const found = (await this.describe(topics)).topics
      const isLed = found.every(
        ({ errorCode, partitions }) =>
          errorCode === ErrorCode.NONE &&
          partitions.length > 0 &&
          partitions.every((one) => one.errorCode === ErrorCode.NONE),
      )
      if (isLed) return true
      if (performance.now() >= until) return false
      await delay(POLL_MS)
    }
  }
}

const POLL_MS = 100

export function partitionMetadataOf(partitions: Topic['partitions']): PartitionMetadata[] {
  return partitions.map((one) => ({
    partitionErrorCode: one.errorCode,
    partitionId: one.partitionIndex,
    leader: one.leaderId,
    replicas: [...one.replicaNodes],
    isr: [...one.isrNodes],
    offlineReplicas: [...one.offlineReplicas],
  }))
}
