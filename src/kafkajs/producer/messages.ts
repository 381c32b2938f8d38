import type { Data, HeadersInit, TopicMessage } from '../../index.ts'
import { KafkaJSNonRetriableError } from '../errors.ts'
import type { IHeaders, PartitionMetadata } from '../types/common.ts'
import type { ICustomPartitioner, Message, TopicMessages } from '../types/producer.ts'

/** Throws the errors of kafkajs for messages that cannot be sent, which callers without types may pass. */
export function checkBatch(topicMessages: readonly TopicMessages[]): void {
  if (topicMessages.some(({ topic }) => !topic)) throw new KafkaJSNonRetriableError('Invalid topic')
  for (const { topic, messages } of topicMessages) {
    if (!(messages as unknown)) {
      throw new KafkaJSNonRetriableError(
        `Invalid messages array [${String(messages)}] for topic "${topic}"`,
      )
    }
    for (const message of messages) {
      if ((message.value as unknown) !== undefined) continue
      throw new KafkaJSNonRetriableError(
        `Invalid message without value for topic "${topic}": ${JSON.stringify(message)}`,
      )
    }
  }
}

/** Converts the messages of a topic to those of samsa, each with its partition. */
export function outgoing(
  topic: string,
  messages: readonly Message[],
  partitionMetadata: PartitionMetadata[],
  partitioner: ReturnType<ICustomPartitioner>,
): TopicMessage[] {
  return messages.map((message) => {
    const { key, value, headers, timestamp } = message
    return {
      topic,
      key: dataFrom(key),
      value: dataFrom(value),
      partition: partitioner({ topic, partitionMetadata, message }),
      ...(headers === undefined ? {} : { headers: headersFrom(headers) }),
      ...(timestamp === undefined ? {} : { timestamp: Number(timestamp) }),
    }
  })
}

/** As in kafkajs, a value that is neither text nor bytes is sent as text. */
function dataFrom(value: Message['value'] | undefined): Data {
  if (typeof value === 'string' || value instanceof Uint8Array) return value
  return value === null || value === undefined ? null : String(value)
}

function headersFrom(headers: IHeaders): HeadersInit {
  return Object.entries(headers).flatMap(([key, value]) =>
    (Array.isArray(value) ? value : [value]).map((one): [string, Data] => [key, dataFrom(one)]),
  )
}
