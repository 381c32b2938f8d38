import type { Message } from '../../../protocol/records/message.ts'
import type { ConsumedMessage } from '../consumed-message.ts'
import type { Inbox } from '../inbox.ts'
import type { PartitionState } from '../partition-state.ts'

/** Called for each message; the next one of the same partition (or key) comes when it has resolved. */
export type MessageHandler<Value = Buffer | null, Key = Buffer | null> = (
  message: ConsumedMessage<Value, Key>,
) => void | Promise<void>

export interface RunOptions {
  /** How many handlers run at the same time. Default: 1. */
  readonly concurrency?: number
  /**
   * What is handled in order: all of a `partition`, or what has the same `key` in it: then messages of one
   * partition with different keys, or without, are handled at the same time. Default: `partition`.
   */
  readonly orderBy?: 'partition' | 'key'
  /** Ends it: handlers that have begun are waited for. It then throws the signal's reason. */
  readonly signal?: AbortSignal
}

/**
 * Hands the messages of each partition to the handler one after the other, of so many partitions at the same
 * time. Resolves at the end of a consumer that has one. A handler's error ends it: the others are waited for,
 * and the message that failed is the next of its partition to be handed over.
 */
export async function runByPartition<Value, Key>(
  inbox: Inbox<Value, Key>,
  handler: MessageHandler<Value, Key>,
  concurrency: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const running = new Set<Promise<void>>()
  let failure: { readonly error: unknown } | undefined
  const isOver = () => failure !== undefined || signal?.aborted === true
  const isToEnd = () => isOver() || inbox.failure !== undefined
  const start = (state: PartitionState) => {
    const done = handleChunk(inbox, state, handler, isToEnd)
      .catch((error: unknown) => {
        failure ??= { error }
      })
      .finally(() => {
        state.handling = undefined
        running.delete(done)
        inbox.release(state)
        inbox.wake()
      })
    state.handling = done
    running.add(done)
  }
  try {
    while (!isOver()) {
      const state = running.size < concurrency ? inbox.claim() : undefined
      if (state !== undefined) start(state)
      else if (running.size === 0 && inbox.isFinished) return
      else await inbox.arrival(undefined, signal)
    }
  } finally {
    await Promise.all(running)
  }
  if (failure !== undefined) throw failure.error
  signal?.throwIfAborted()
}

async function handleChunk<Value, Key>(
  inbox: Inbox<Value, Key>,
  state: PartitionState,
  handler: MessageHandler<Value, Key>,
  isToEnd: () => boolean,
): Promise<void> {
  const { chunk } = state
  if (chunk === undefined) return
  while (!isToEnd()) {
    const next = nextToHandle(inbox, state)
    if (next === undefined || state.chunk !== chunk) return
    try {
      await handler(next.message)
    } catch (error) {
      // It was not handled: it is the next one again, unless the application went elsewhere meanwhile.
      if (state.chunk === chunk) chunk.index--
      throw error
    }
  }
}

/** The next message of a partition that was claimed, and as it was read; undefined at the end of its chunk. */
export function nextToHandle<Value, Key>(
  inbox: Inbox<Value, Key>,
  state: PartitionState,
): { readonly message: ConsumedMessage<Value, Key>; readonly raw: Message } | undefined {
  const { chunk } = state
  if (chunk === undefined || !state.isHandedOver || !inbox.mayHandOver) return undefined
  while (chunk.index < chunk.messages.length) {
    const raw = chunk.messages[chunk.index]!
    const message = inbox.converted(chunk)
    if (message !== undefined) return { message, raw }
  }
  return undefined
}
