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
 * Claims partitions with something to handle, while fewer than `concurrency` handlers are at work. Whatever ends it,
 * those that have begun are waited for.
 */
export class Run<Value, Key> {
  readonly inbox: Inbox<Value, Key>
  readonly #concurrency: number
  readonly #signal: AbortSignal | undefined
  readonly #working = new Set<Promise<void>>()
  #failure: { readonly error: unknown } | undefined

  constructor(inbox: Inbox<Value, Key>, concurrency: number, signal: AbortSignal | undefined) {
    this.inbox = inbox
    this.#concurrency = concurrency
    this.#signal = signal
  }

  /** No handler is to begin any more: one has failed, the consumer has, or the signal was aborted. */
  get isOver(): boolean {
    if (this.#failure !== undefined || this.#signal?.aborted === true) return true
    return this.inbox.failure !== undefined
  }

  /** Resolves at the end of a consumer that has one; `start` calls `begin` for what it finds to do. */
  async claimEach(start: (state: PartitionState) => void): Promise<void> {
    try {
      while (!this.isOver) {
        const hasRoom = this.#working.size < this.#concurrency
        const state = hasRoom ? this.inbox.claim() : undefined
        if (state !== undefined) start(state)
        else if (this.#working.size === 0 && this.inbox.isFinished) return
        else await this.inbox.arrival(undefined, this.#signal)
      }
    } finally {
      await Promise.all(this.#working)
    }
    if (this.#failure !== undefined) throw this.#failure.error
    this.#signal?.throwIfAborted()
    if (this.inbox.failure !== undefined) throw this.inbox.failure
  }

  /** Counts `work` as one handler until it has settled. Resolves, after `finish`, also if it failed. */
  begin(work: Promise<void>, finish: () => void): Promise<void> {
    const done = work
      .catch((error: unknown) => {
        this.#failure ??= { error }
      })
      .finally(() => {
        this.#working.delete(done)
        finish()
        this.inbox.wake()
      })
    this.#working.add(done)
    return done
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
