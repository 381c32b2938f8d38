import type { ConsumedMessage } from '../consumed-message.ts'
import type { Inbox } from '../inbox.ts'
import { JOINED_MESSAGES } from '../partition-buffer.ts'
import type { Chunk, PartitionState } from '../partition-state.ts'
import type { ConsumerBatch } from './consumer-batch.ts'
import { drivePartitions } from './drive-partitions.ts'
import { handleBatch, type BatchReporting } from './handle-batch.ts'
import type { Run } from './run.ts'

/**
 * The handler of `runBatches`, called once for each batch. The next batch of the same partition is delivered when the
 * handler has resolved.
 */
export type BatchHandler<Value = Buffer | null, Key = Buffer | null> = (
  batch: ConsumerBatch<Value, Key>,
) => void | Promise<void>

/** Makes a batch of the remaining messages of a chunk. `handleEach` of the batch sets `isByMessage`. */
export type MakeBatch<Value, Key> = (
  chunk: Chunk,
  messages: readonly ConsumedMessage<Value, Key>[],
  reporting: BatchReporting,
) => ConsumerBatch<Value, Key>

/**
 * Calls the handler for the batches of each partition one after another, and for up to `concurrency` partitions at
 * the same time. An error of a handler ends the run: the failed batch is the next one of its partition, unless the
 * handler called `seek`.
 */
export function runByBatch<Value, Key>(
  run: Run<Inbox<Value, Key>>,
  handler: BatchHandler<Value, Key>,
  makeBatch: MakeBatch<Value, Key>,
  isTraced: boolean,
): Promise<void> {
  const { feed } = run
  const timed: BatchHandler<Value, Key> = async (batch) => {
    const startedAt = performance.now()
    await handler(batch)
    feed.mostJoined = joinedAfter(feed.mostJoined, performance.now() - startedAt)
  }
  const handle = (state: PartitionState) => handleChunk(run, state, timed, makeBatch, isTraced)
  return drivePartitions(run, handle).finally(() => {
    feed.mostJoined = JOINED_MESSAGES
  })
}

/** A handler that takes less time gets larger batches, so that what it does once a batch costs less. */
const FAST_MS = 20
/** A handler that takes more time gets smaller batches again, because a batch has to end before a rebalance. */
const SLOW_MS = 200
/**
 * The number of messages of 100 bytes in a partition's fetch of 1 MiB: a batch then has all messages of a fetch, as in
 * kafkajs. With half as many, commits after each batch lowered the rate of `eachBatch` by a sixth. Larger batches would
 * take more memory, because all messages of a batch exist at the same time.
 */
const MOST_JOINED = 20 * JOINED_MESSAGES

/** The number of messages up to which batches are joined after one has taken this long. */
export function joinedAfter(joined: number, tookMs: number): number {
  if (tookMs < FAST_MS) return Math.min(2 * joined, MOST_JOINED)
  if (tookMs > SLOW_MS) return Math.max(joined / 2, JOINED_MESSAGES)
  return joined
}

async function handleChunk<Value, Key>(
  run: Run<Inbox<Value, Key>>,
  state: PartitionState,
  handler: BatchHandler<Value, Key>,
  makeBatch: MakeBatch<Value, Key>,
  isTraced: boolean,
): Promise<void> {
  const { chunk } = state.buffer
  if (chunk === undefined || run.isOver) return
  const from = chunk.index
  chunk.start = state.position
  const messages = run.feed.convertedRest(chunk)
  if (messages.length === 0) return
  chunk.isWhole = true
  const { metrics } = run
  const reporting: BatchReporting = { isByMessage: false }
  const batch = makeBatch(chunk, messages, reporting)
  try {
    await handleBatch({ state, batch, reporting, metrics, isTraced }, () => handler(batch))
  } catch (error) {
    if (state.buffer.chunk === chunk) chunk.index = from
    if (!state.isEndedBy(error)) throw error
  }
}
