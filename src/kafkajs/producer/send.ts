import type { ProduceManyResult, TopicMessage } from '../../index.ts'
import type { Session } from '../connection/session.ts'
import type { TopicMetadata } from '../connection/topic-metadata.ts'
import { errorFrom } from '../error-from.ts'
import { KafkaJSError, KafkaJSMetadataNotLoaded, KafkaJSNonRetriableError } from '../errors.ts'
import { withNumbers } from '../numbers.ts'
import { exhausted, type RetrySettings } from '../retry.ts'
import type {
  ICustomPartitioner,
  Message,
  ProducerBatch,
  ProducerRecord,
  RecordMetadata,
  Sender,
} from '../types/producer.ts'
import { checkBatch, outgoing } from './messages.ts'
import type { SendOptions } from './pool.ts'
import { recordMetadata } from './results.ts'

export type Status = 'disconnected' | 'connected' | 'disconnecting'

export interface SenderParts {
  readonly session: Session
  readonly topics: TopicMetadata
  readonly partitioner: ReturnType<ICustomPartitioner>
  readonly idempotent: boolean
  readonly retry: RetrySettings
  readonly status: () => Status
  /** Sends messages to any topics. */
  readonly produce: (messages: TopicMessage[], options: SendOptions) => Promise<ProduceManyResult>
}

const NUMBERS = ['acks', 'timeout', 'compression'] as const

/** `send` and `sendBatch` of a producer or a transaction. */
export function createSender(parts: SenderParts): Sender {
  const sendBatch = async (batch: ProducerBatch): Promise<RecordMetadata[]> => {
    const { acks = -1, timeout, compression, topicMessages = [] } = batch
    checkBatch(topicMessages)
    if (parts.idempotent && acks !== -1) {
      throw new KafkaJSNonRetriableError(
        "Not requiring ack for all messages invalidates the idempotent producer's EoS guarantees",
      )
    }
    throwUnlessConnected(parts.status())
    const byTopic = new Map<string, readonly Message[]>()
    for (const { topic, messages } of topicMessages) {
      const before = byTopic.get(topic)
      byTopic.set(topic, before === undefined ? messages : [...before, ...messages])
    }
    const topics = [...byTopic.keys()]
    // Read before the missing ones are loaded: meanwhile another call may fail, which removes its topics from the
    // cache.
    const partitions = new Map(topics.map((topic) => [topic, parts.topics.fresh(topic)]))
    const missing = topics.filter((topic) => partitions.get(topic) === undefined)
    if (missing.length > 0) {
      for (const [topic, loaded] of await parts.topics.load(missing)) partitions.set(topic, loaded)
    }
    const messages = topics.flatMap((topic) => {
      const partitionMetadata = partitions.get(topic) ?? []
      if (partitionMetadata.length === 0) {
        throw new KafkaJSMetadataNotLoaded('Producing to topic without metadata')
      }
      return outgoing(topic, byTopic.get(topic) ?? [], partitionMetadata, parts.partitioner)
    })
    if (messages.length === 0) return []
    try {
      const options = withNumbers({ acks, timeout, compression }, NUMBERS)
      const result = await parts.produce(messages, options)
      return acks === 0 ? [] : recordMetadata(result, topics)
    } catch (thrown) {
      for (const topic of topics) parts.topics.forget(topic)
      throw exhausted(errorFrom(thrown), parts.retry)
    }
  }
  const send = (record: ProducerRecord): Promise<RecordMetadata[]> => {
    const { topic, messages, ...options } = record
    return sendBatch({ ...options, topicMessages: [{ topic, messages }] })
  }
  return { send, sendBatch }
}

function throwUnlessConnected(status: Status): void {
  switch (status) {
    case 'connected':
      return
    case 'disconnecting':
      throw new KafkaJSNonRetriableError(
        "The producer is disconnecting; therefore, it can't safely accept messages anymore",
      )
    case 'disconnected':
      throw new KafkaJSError('The producer is disconnected')
  }
}
