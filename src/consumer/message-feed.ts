/**
 * The interface between buffers and readers. `Inbox` is the feed of consumers that own partitions. The feed of a
 * share group delivers acquired records, with their delivery counts; its `settle` acknowledges the
 * records that the application has finished. Iterators, streams and `Run` work with any feed.
 */
import { Deadline } from '../async/deadline.ts'

export interface MessageFeed<Message> {
  /**
   * Returns the next message, if one is available. The message counts as being processed until `settle`. Throws the
   * error that ended the feed.
   */
  take(): Message | undefined
  /** The application has requested more, so that the previous message is processed. `take` settles it, too. */
  settle(): void
  /** Resolves when something may have changed: a message, an error, the time, or the signal. */
  arrival(timeoutMs: number | undefined, signal: AbortSignal | undefined): Promise<void>
  /** Makes every caller that waits in `arrival` check again. */
  wake(): void
  /** No more messages will come. */
  readonly isFinished: boolean
  /** The error after which nothing more is delivered. */
  readonly failure: Error | undefined
  /** Available messages are held back until the event loop has run one turn. `arrival` waits for that turn. */
  readonly isTurnOver: boolean
  /** Makes the available messages deliverable, even if the event loop had no turn yet. */
  ignoreTurn(): void
}

/** A feed whose next message can be read before it counts as delivered. */
export interface PeekableFeed<
  Message,
  Peeked extends { readonly message: Message },
> extends MessageFeed<Message> {
  /** Returns the next message without delivering it; `give` delivers it. It stays the next message until then. */
  peek(): Peeked | undefined
  /** Delivers the message that `peek` returned. False: the message may no longer be delivered. */
  give(peeked: Peeked): boolean
}

/** Waits for the next item. Returns undefined at the end and when the time has passed. */
export async function nextOf<T>(
  feed: MessageFeed<unknown>,
  take: () => T | undefined,
  timeoutMs: number | undefined,
  signal: AbortSignal | undefined,
): Promise<T | undefined> {
  const deadline = timeoutMs === undefined ? undefined : new Deadline(timeoutMs)
  for (;;) {
    if (feed.isFinished) return undefined
    signal?.throwIfAborted()
    if (deadline?.isOver === true && !feed.isTurnOver) return undefined
    await feed.arrival(deadline?.remainingMs, signal)
    const taken = take()
    if (taken !== undefined) return taken
  }
}
