/**
 * What stands between buffers and readers: `Inbox` feeds the consumers that own partitions. A feed of a share group gives
 * out records that a broker has lent, with their delivery counts; `settle` is where it learns that the application has
 * finished with them, and acknowledges them. Iterators, streams and `Run` work with any feed.
 */
import { Deadline } from '../async/deadline.ts'

export interface MessageFeed<Message> {
  /** The next message, if one is available. It counts as being processed until `settle`. Throws why nothing more comes. */
  take(): Message | undefined
  /** The application has asked for more: what it had is processed. `take` counts as that, too. */
  settle(): void
  /** Resolves when something may have changed: a message, an error, the time, or the signal. */
  arrival(timeoutMs: number | undefined, signal: AbortSignal | undefined): Promise<void>
  /** Makes everyone who waits in `arrival` look again. */
  wake(): void
  /** No more messages will come. */
  readonly isFinished: boolean
  /** Why nothing more is delivered at all. */
  readonly failure: Error | undefined
  /** What is available is held back until the event loop has turned once: `arrival` sees to that. */
  readonly isTurnOver: boolean
  /** Lets what is available be taken, whatever the event loop has been kept from. */
  ignoreTurn(): void
}

/** A feed whose next message can be looked at before it counts as delivered. */
export interface PeekableFeed<
  Message,
  Peeked extends { readonly message: Message },
> extends MessageFeed<Message> {
  /** The next message without delivering it: `give` does that. It stays the next one until then. */
  peek(): Peeked | undefined
  /** Delivers what was peeked at. False: it may not be delivered any more. */
  give(peeked: Peeked): boolean
}

/** Waits until there is something to take; undefined at the end, and when the time is over. */
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
