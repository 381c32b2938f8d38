/**
 * Which of the application's code a call comes from. `close()` waits for what the application is processing, but not
 * for the loop body, handler or hook that called it; `commitOffsets()` commits the current message for the loop body
 * that is processing it, and for no other code, such as a timer or a hook.
 *
 * An AsyncLocalStorage tells, as nothing else follows the application's code through its awaits. Its cost does not
 * depend on the number of messages, except that Node before 24 makes every promise of the process slower by some
 * 50 ns once one is in use: consumers without a group, which never need to know, do not use it.
 */
import { AsyncLocalStorage } from 'node:async_hooks'

/** The application's code at work on what a consumer gave it. */
export interface Work {
  readonly consumer: object
  readonly kind: 'loop' | 'handler' | 'hook'
  /** A loop has ended. What its body has started may go on for longer. */
  isOver: boolean
  /** What it runs in: a loop over one consumer in a handler of another. */
  readonly outer: Work | undefined
}

const storage = new AsyncLocalStorage<Work>()

export function workOf(consumer: object, kind: Work['kind']): Work {
  let outer = storage.getStore()
  // A loop that follows another in the same function does not keep that one.
  while (outer?.isOver === true) ({ outer } = outer)
  return { consumer, kind, isOver: false, outer }
}

/** The innermost work of this consumer that the caller is a part of. */
export function currentWork(consumer: object): Work | undefined {
  for (let work = storage.getStore(); work !== undefined; work = work.outer) {
    if (work.consumer === consumer && !work.isOver) return work
  }
  return undefined
}

/** Calls it as a part of the work, with all that it starts. */
export function doWork<T>(work: Work, call: () => T): T {
  return storage.run(work, call)
}

/**
 * The first result of an iterator. `for await` reads `value` when the loop's function runs again, so that the getter
 * marks that function, and nothing else, as being at work: the caller of the function goes on unmarked.
 */
export class FirstResult<T> {
  readonly done = false
  readonly #value: T
  readonly #work: Work
  readonly #onSeen: () => void

  constructor(value: T, work: Work, onSeen: () => void) {
    this.#value = value
    this.#work = work
    this.#onSeen = onSeen
  }

  get value(): T {
    if (!this.#work.isOver) {
      storage.enterWith(this.#work)
      this.#onSeen()
    }
    return this.#value
  }
}
