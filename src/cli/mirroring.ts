/**
 * How `mirror` writes: with a producer for all topics, or in transactions that commit the position
 * in the source together with the copies.
 */
import type {
  Compression,
  ConsumedMessage,
  Consumer,
  KafkaClient,
  Transaction,
  TopicPartitionOffset,
} from '../index.ts'

export interface CopierOptions {
  readonly compression: Compression
  /** The group for which the position is committed. */
  readonly resume: string | undefined
  readonly exactlyOnce: boolean
  readonly targetName: (topic: string) => string
  readonly keepPartition: boolean
}

export interface Copier {
  /** Resolves when the next message can be sent. */
  send(message: ConsumedMessage): Promise<void>
  /** All messages before this offset have been sent or left out. */
  reached(position: TopicPartitionOffset): Promise<void>
  /**
   * Delivers the remaining messages, and commits the position. Throws the error of a message that
   * failed.
   */
  finish(): Promise<void>
  giveUp(): Promise<void>
}

/** The maximum time by which the position is behind the copied messages. */
const COMMIT_EVERY_MS = 5_000
/** A transaction ends after this time or this number of messages. */
const TRANSACTION_MS = 500
const TRANSACTION_MESSAGES = 50_000
const LINGER_MS = 5

export function copier(
  target: KafkaClient,
  consumer: Consumer,
  options: CopierOptions,
): Promise<Copier> {
  // The command requires --resume with --exactly-once.
  return options.exactlyOnce
    ? transactionalCopier(target, options, options.resume!)
    : plainCopier(target, consumer, options)
}

function outgoing(message: ConsumedMessage, keepPartition: boolean) {
  const { key, headers, timestamp, partition } = message
  return {
    key,
    ...(headers.length === 0 ? {} : { headers }),
    ...(timestamp < 0 ? {} : { timestamp }),
    ...(keepPartition ? { partition } : {}),
  }
}

async function plainCopier(
  target: KafkaClient,
  consumer: Consumer,
  { compression, resume, targetName, keepPartition }: CopierOptions,
): Promise<Copier> {
  const producer = await target.getProducer({ compression, lingerMs: LINGER_MS })
  let committedAt = performance.now()
  const commit = async (): Promise<void> => {
    await producer.flush()
    if (resume !== undefined) await consumer.commitOffsets()
    committedAt = performance.now()
  }
  return {
    async send(message) {
      void producer.produce(
        targetName(message.topic),
        message.value,
        outgoing(message, keepPartition),
      )
      // Throws the error immediately, and not at the end of the copy.
      if (producer.failedMessages > 0) await producer.flush()
      if (!producer.hasRoom) await producer.ready()
    },
    async reached() {
      if (resume !== undefined && performance.now() - committedAt > COMMIT_EVERY_MS) await commit()
    },
    async finish() {
      await commit()
      await producer.close()
    },
    giveUp: () => producer.close().catch(() => undefined),
  }
}

async function transactionalCopier(
  target: KafkaClient,
  { compression, targetName }: CopierOptions,
  group: string,
): Promise<Copier> {
  const producer = await target.getTransactionalProducer({
    transactionalId: `samsa-mirror-${group}`,
    compression,
    lingerMs: LINGER_MS,
  })
  let transaction: Transaction | undefined
  let beganAt = 0
  let messages = 0
  const positions = new Map<string, TopicPartitionOffset>()
  const begin = async (): Promise<Transaction> => {
    beganAt = performance.now()
    messages = 0
    return producer.begin()
  }
  const commit = async (): Promise<void> => {
    if (positions.size === 0) return
    transaction ??= await begin()
    await producer.flush()
    await transaction.sendOffsets({
      offsets: [...positions.values()],
      group: { groupId: group, generationId: -1, memberId: '', groupInstanceId: undefined },
    })
    await transaction.commit()
    positions.clear()
    transaction = undefined
  }
  return {
    async send(message) {
      transaction ??= await begin()
      messages++
      void transaction.produce(targetName(message.topic), {
        value: message.value,
        ...outgoing(message, true),
      })
      if (producer.failedMessages > 0) await producer.flush()
      if (!producer.hasRoom) await producer.ready()
    },
    async reached({ topic, partition, offset }) {
      const at = { topic: targetName(topic), partition, offset }
      positions.set(`${at.topic}-${partition}`, at)
      const isLong = performance.now() - beganAt > TRANSACTION_MS || messages > TRANSACTION_MESSAGES
      if (transaction !== undefined && isLong) await commit()
    },
    async finish() {
      // Messages of a batch that Ctrl-C has interrupted are copied again: their position was not
      // committed.
      await commit()
      await producer.close()
    },
    giveUp: () => producer.close().catch(() => undefined),
  }
}
