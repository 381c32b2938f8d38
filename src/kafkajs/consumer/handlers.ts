import type { ConsumedMessage, ConsumerBatch } from '../../index.ts'
import { KafkaJSError } from '../errors.ts'
import type { Logger, TopicOffsets } from '../types/common.ts'
import type { EachBatchHandler, EachMessageHandler } from '../types/consumer.ts'
import type { KafkaBatch } from './batch.ts'
import { messageConverter } from './message.ts'
import type { ResolvedOffsets } from './offsets.ts'

/** The part of a run that calling the handlers needs. */
export interface HandlerHost {
  readonly isRunning: boolean
  readonly commitsBetween: boolean
  readonly resolvesBatches: boolean
  readonly offsets: ResolvedOffsets
  heartbeat(batch: ConsumerBatch): Promise<void>
  pausePartition(topic: string, partition: number): () => void
  isPaused(topic: string, partition: number): boolean
  hasSeek(topic: string, partition: number): boolean
  autoCommit(): Promise<void>
  autoCommitIfNecessary(): Promise<void>
  commitIfNecessary(): Promise<void>
  commitTopics(topics: readonly TopicOffsets[]): Promise<void>
}

/** Calls `eachMessage` for the messages of a batch, until the run ends or the partition is sought or paused. */
export async function handleMessages(
  run: HandlerHost,
  batch: ConsumerBatch,
  eachMessage: EachMessageHandler,
  logger: Logger,
): Promise<void> {
  const { topic, partition } = batch
  const heartbeat = () => run.heartbeat(batch)
  const pause = () => run.pausePartition(topic, partition)
  const resolve = run.offsets.resolver(topic, partition)
  const { signal } = batch
  const { commitsBetween } = run
  const messageFrom = messageConverter()
  const mayContinue = () => run.isRunning && !run.hasSeek(topic, partition)
  if (!mayContinue()) return
  /** The message whose handler is running. */
  let handling: ConsumedMessage | undefined
  const handler = (consumed: ConsumedMessage) => {
    handling = consumed
    return eachMessage({ topic, partition, message: messageFrom(consumed), heartbeat, pause })
  }
  const afterEach = ({ offset }: ConsumedMessage): boolean | Promise<boolean> => {
    handling = undefined
    resolve(resolvedBy(batch, offset))
    if (signal.aborted || commitsBetween) return betweenMessages()
    return mayContinue() && !run.isPaused(topic, partition)
  }
  const betweenMessages = async (): Promise<boolean> => {
    if (signal.aborted) await heartbeat()
    if (commitsBetween) await run.autoCommitIfNecessary()
    return mayContinue() && !run.isPaused(topic, partition)
  }
  try {
    await batch.handleEach(handler, afterEach)
  } catch (error) {
    if (handling !== undefined) {
      const offset = String(handling.offset)
      logUnlessOwn(logger, 'Error when calling eachMessage', error, { topic, partition, offset })
      // Commits, so that the messages before the failed one are not processed again.
      await run.autoCommit()
    }
    throw error
  }
}

/** Calls `eachBatch`, which calls `resolveOffset` for the messages that it has processed. */
export async function handleBatch(
  run: HandlerHost,
  consumed: ConsumerBatch,
  batch: KafkaBatch,
  eachBatch: EachBatchHandler,
  logger: Logger,
): Promise<void> {
  const { topic, partition } = batch
  const resolve = run.offsets.resolver(topic, partition)
  try {
    await eachBatch({
      batch,
      resolveOffset: (offset) => resolve(resolvedBy(consumed, Number(offset))),
      heartbeat: () => run.heartbeat(consumed),
      pause: () => run.pausePartition(topic, partition),
      commitOffsetsIfNecessary: (offsets) =>
        offsets === undefined ? run.commitIfNecessary() : run.commitTopics(offsets.topics),
      uncommittedOffsets: () => ({ topics: run.offsets.uncommitted() }),
      isRunning: () => run.isRunning,
      isStale: () => run.hasSeek(topic, partition),
    })
  } catch (error) {
    logUnlessOwn(logger, 'Error when calling eachBatch', error, {
      topic,
      partition,
      offset: batch.firstOffset(),
    })
    await run.autoCommit()
    throw error
  }
  if (run.resolvesBatches) resolve(consumed.nextOffset - 1)
}

/**
 * The offset up to which a processed message resolves its batch. The last message may be followed by records that are not
 * delivered, such as the marker of a transaction: without them, reading would continue at the marker, and drop what was
 * fetched ahead.
 */
function resolvedBy({ lastOffset, nextOffset }: ConsumerBatch, offset: number): number {
  return offset === lastOffset ? nextOffset - 1 : offset
}

function logUnlessOwn(logger: Logger, message: string, error: unknown, extra: object): void {
  if (error instanceof KafkaJSError) return
  const stack = error instanceof Error ? error.stack : undefined
  logger.error(message, { ...extra, stack, error })
}
