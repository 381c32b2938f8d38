import { bounded } from '../async/bounded.ts'
import type { Deadline } from '../async/deadline.ts'
import { TookTooLongError } from '../async/limited.ts'
import type { MessageReader } from './delivery/message-reader.ts'
import type { Work } from './delivery/work.ts'
import type { Inbox } from './inbox.ts'
import type { PartitionState } from './partition-state.ts'

/** The share of the time of `close()` in which the application may finish its processing. */
export const PROCESSING_SHARE = 0.75

/** Waits for what the application is processing, before a revocation and before the consumer is closed. */
export class Processing<Value, Key> {
  readonly #inbox: Inbox<Value, Key>
  readonly #reader: MessageReader<Value, Key>
  /** The kinds of application code that call close() and would wait for themselves. */
  readonly #closers = new Set<Work['kind']>()
  #isClosing = false

  constructor(inbox: Inbox<Value, Key>, reader: MessageReader<Value, Key>) {
    this.#inbox = inbox
    this.#reader = reader
  }

  /** The application calls close(). Returns the kind of application code that the call is a part of. */
  closing(): Work['kind'] | undefined {
    const { caller } = this.#reader
    if (caller !== undefined) this.#closers.add(caller)
    this.#isClosing = true
    this.#inbox.lookAgain()
    return caller
  }

  /** Resolves when everything delivered of these partitions is processed, or they are no longer assigned. */
  async finished(states: readonly PartitionState[]): Promise<void> {
    for (;;) {
      const assigned = states.filter(({ isAssigned }) => isAssigned)
      const handlers = this.#closers.has('handler')
        ? []
        : assigned.flatMap(({ handling }) => handling ?? [])
      if (handlers.length === 0 && !this.#isLoopAtWork(assigned)) return
      const changed = this.#inbox.processed()
      await (handlers.length === 0 ? changed : Promise.race([changed, Promise.all(handlers)]))
    }
  }

  /**
   * Like `finished`, before the consumer is closed. False: the time has passed, except for the share of the last
   * commit.
   */
  async finishedInTime(
    states: readonly PartitionState[],
    { remainingMs, signal }: Deadline,
  ): Promise<boolean> {
    try {
      await bounded(remainingMs * PROCESSING_SHARE, signal, () => this.finished(states))
      return true
    } catch (error) {
      if (error instanceof TookTooLongError) return false
      throw error
    }
  }

  #isLoopAtWork(states: readonly PartitionState[]): boolean {
    if (this.#closers.has('loop')) return false
    // Code that breaks out of a loop and closes the consumer, or calls consume() and close(), does not request more.
    if (this.#isClosing && !this.#reader.isInLoop) return false
    return states.some((state) => this.#inbox.isInProcess(state))
  }
}
