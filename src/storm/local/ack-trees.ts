import type { Clock } from '../component/clock.ts'
import type { TupleId } from '../multilang/messages.ts'

/** A spout's tuple and all tuples that have followed from it. */
export interface Root {
  readonly id: TupleId
  /** How many of its tuples are not acked. */
  pending: number
  onDone: ((command: 'ack' | 'fail') => void) | undefined
  withdrawTimeout: () => void
}

/**
 * Tracks tuples like Storm's ackers: a spout receives an ack when all tuples that have followed
 * from its tuple are processed.
 */
export class AckTrees {
  readonly #clock: Clock
  readonly #timeoutMs: number | undefined
  /** The trees of tuples, by tuple id. */
  readonly #roots = new Map<string, readonly Root[]>()
  #lastId = 0

  /** Without a timeout, processing may take any time. */
  constructor(clock: Clock, timeoutMs: number | undefined) {
    this.#clock = clock
    this.#timeoutMs = timeoutMs
  }

  /** Starts the trees of a spout's tuple; `add` then adds a tuple for each task that receives it. */
  open(id: TupleId, onDone: (command: 'ack' | 'fail') => void): Root {
    const root: Root = { id, pending: 0, onDone, withdrawTimeout: () => undefined }
    if (this.#timeoutMs !== undefined) {
      root.withdrawTimeout = this.#clock.after(this.#timeoutMs, () => settle(root, 'fail'))
    }
    return root
  }

  /** The id of a new tuple that belongs to these trees. */
  add(roots: readonly Root[]): string {
    const id = String(++this.#lastId)
    this.#roots.set(id, roots)
    for (const root of roots) root.pending += 1
    return id
  }

  /** The trees of a tuple that is anchored to these tuples. */
  rootsOf(anchors: readonly string[]): readonly Root[] {
    const [first, ...others] = anchors
    if (first === undefined) return []
    const roots = this.#roots.get(first) ?? []
    if (others.length === 0) return roots
    return [...new Set([...roots, ...others.flatMap((anchor) => this.#roots.get(anchor) ?? [])])]
  }

  ack(tuple: string): void {
    for (const root of this.#take(tuple)) {
      root.pending -= 1
      if (root.pending === 0) settle(root, 'ack')
    }
  }

  fail(tuple: string): void {
    for (const root of this.#take(tuple)) settle(root, 'fail')
  }

  #take(tuple: string): readonly Root[] {
    const roots = this.#roots.get(tuple) ?? []
    this.#roots.delete(tuple)
    return roots
  }
}

/** Reports the outcome of a tree, once: later acks and fails belong to a tree that has already failed. */
export function settle(root: Root, command: 'ack' | 'fail'): void {
  root.withdrawTimeout()
  const { onDone } = root
  root.onDone = undefined
  onDone?.(command)
}
