import { deferred, type Deferred } from '../../async/deferred.ts'
import type { Batch } from './batch.ts'

interface Flush {
  readonly upTo: number
  readonly done: Deferred<void>
}

/**
 * The batches that are not settled, oldest first: the first one expires next, and a flush is complete when the first
 * one was created after the flush began. It is a linked list, so that settling a batch costs the same for any number of
 * batches.
 */
export class IncompleteBatches {
  #first: Batch | undefined
  #last: Batch | undefined
  #flushes: Flush[] = []

  get first(): Batch | undefined {
    return this.#first
  }

  add(batch: Batch): void {
    batch.previous = this.#last
    if (this.#last === undefined) this.#first = batch
    else this.#last.next = batch
    this.#last = batch
  }

  /** Replaces one batch by others. */
  replace(batch: Batch, parts: readonly Batch[]): void {
    let before: Batch = batch
    for (const part of parts) {
      part.previous = before
      part.next = before.next
      if (before.next === undefined) this.#last = part
      else before.next.previous = part
      before.next = part
      before = part
    }
    this.delete(batch)
  }

  delete(batch: Batch): void {
    const { previous, next } = batch
    if (previous === undefined) this.#first = next
    else previous.next = next
    if (next === undefined) this.#last = previous
    else next.previous = previous
    batch.previous = batch.next = undefined
    if (previous === undefined && this.#flushes.length > 0) this.#endFlushes()
  }

  /** Resolves when all batches that are in the list now are settled. */
  settled(): Promise<void> {
    if (this.#last === undefined) return Promise.resolve()
    const done = deferred()
    this.#flushes.push({ upTo: Math.floor(this.#last.serial), done })
    return done.promise
  }

  *[Symbol.iterator](): Generator<Batch> {
    let batch = this.#first
    while (batch !== undefined) {
      const { next } = batch
      yield batch
      batch = next
    }
  }

  #endFlushes(): void {
    const oldest = Math.floor(this.#first?.serial ?? Infinity)
    while (this.#flushes.length > 0 && this.#flushes[0]!.upTo < oldest) {
      this.#flushes.shift()!.done.resolve()
    }
  }
}
