/** The destination of `produce`: directly a topic, or one transaction for all messages. */
import type { Compression, KafkaClient } from '../index.ts'
import type { OutgoingRecord } from './record-maker.ts'

export interface SinkOptions {
  readonly compression: Compression
  readonly acks: -1 | 0 | 1
  readonly maxMessageBytes: number
  /** A transactional id. */
  readonly transaction?: string | undefined
}

export interface Sink {
  send(record: OutgoingRecord): void
  /** Resolves when there is room for more. */
  ready(): Promise<void>
  readonly failedMessages: number
  readonly queuedMessages: number
  /** Delivers the sent messages. Throws the error of one that failed. */
  flush(): Promise<void>
  /** Ends normally: a transaction is committed. Throws the error of a message that failed. */
  finish(): Promise<void>
  /** Ends early: sent messages still arrive, but with a transaction none do. */
  giveUp(): Promise<void>
}

/**
 * A small limit keeps the memory constant with millions of short lines, which need many times their
 * size.
 */
const MAX_QUEUED_BYTES = 8 * 1024 * 1024
/** Lines that arrive together are sent together. */
const LINGER_MS = 5
/** The memory of a record besides its key and value also counts towards the producer's limit. */
const RECORD_OVERHEAD_BYTES = 64

/** The brokers' default maximum, because sending a file may take long. */
const TRANSACTION_TIMEOUT_MS = 900_000

export async function openSink(
  client: KafkaClient,
  topic: string,
  options: SinkOptions,
): Promise<Sink> {
  const settings = {
    compression: options.compression,
    maxRequestSize: options.maxMessageBytes + RECORD_OVERHEAD_BYTES,
    maxQueuedBytes: Math.max(MAX_QUEUED_BYTES, options.maxMessageBytes),
    lingerMs: LINGER_MS,
  }
  if (options.transaction !== undefined) {
    return transactionSink(client, topic, options.transaction, settings)
  }
  const producer = await client
    .topic(topic)
    .getProducer({ ...settings, requiredAcks: options.acks })
  return {
    send: ({ value, ...rest }) => void producer.produce(value, rest),
    ready: () => producer.ready(),
    get failedMessages() {
      return producer.failedMessages
    },
    get queuedMessages() {
      return producer.queuedMessages
    },
    flush: () => producer.flush(),
    finish: () => producer.close(),
    giveUp: () => producer.close(),
  }
}

type Settings = Omit<
  Parameters<KafkaClient['getTransactionalProducer']>[0],
  'transactionalId' | 'serializer'
>

async function transactionSink(
  client: KafkaClient,
  topic: string,
  transactionalId: string,
  settings: Settings,
): Promise<Sink> {
  const producer = await client.getTransactionalProducer({
    ...settings,
    transactionalId,
    transactionTimeoutMs: TRANSACTION_TIMEOUT_MS,
  })
  const transaction = await producer.begin()
  return {
    send: (record) => void transaction.produce(topic, record),
    ready: () => producer.ready(),
    get failedMessages() {
      return producer.failedMessages
    },
    get queuedMessages() {
      return producer.queuedMessages
    },
    flush: () => producer.flush(),
    async finish() {
      // Before the commit, whose error would only report that a message has failed.
      await producer.flush()
      await transaction.commit()
      await producer.close()
    },
    async giveUp() {
      if (transaction.isOpen) await transaction.abort()
      await producer.close()
    },
  }
}
