/**
 * Tracks which code of the application a call comes from. `close()` waits for what the application is processing, but
 * not for the loop body, handler or hook that called it. `commitOffsets()` commits the current message for the loop
 * body that is processing it, and for no other code, such as a timer or a hook.
 *
 * An AsyncLocalStorage tracks this, because nothing else follows the application's code through its awaits. Its cost
 * does not depend on the number of messages, except that before Node 24 it makes every promise of the process slower
 * by some 50 ns once one is in use. Consumers without a group never need it and do not use it.
 */
import { AsyncLocalStorage } from 'node:async_hooks'

/** Code of the application that is processing what a consumer delivered. */
export interface Work {
  readonly consumer: object
  readonly kind: 'loop' | 'handler' | 'hook'
  /** The loop has ended. Code that its body has started may still run. */
  isOver: boolean
  /** The work that this work runs in, such as a handler of one consumer that loops over another consumer. */
  readonly outer: Work | undefined
}

const storage = new AsyncLocalStorage<Work>()

export function workOf(consumer: object, kind: Work['kind']): Work {
  let outer = storage.getStore()
  // A loop that follows another in the same function does not keep the earlier one.
  while (outer?.isOver === true) ({ outer } = outer)
  return { consumer, kind, isOver: false, outer }
}

/** Returns the innermost work of this consumer that the caller is a part of. */
export function currentWork(consumer: object): Work | undefined {
  for (let work = storage.getStore(); work !== undefined; work = work.outer) {
    if (work.consumer === consumer && !work.isOver) return work
  }
  return undefined
}

/** Runs `call`, and everything that it starts, as a part of the work. */
export function doWork<T>(work: Work, call: () => T): T {
  return storage.run(work, call)
}

/**
 * The first result of an iterator. `for await` reads `value` when the function with the loop continues. So the getter
 * marks that function as the running work, and nothing else: the caller of the function stays unmarked.
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
