import { AsyncLocalStorage } from 'node:async_hooks'
import type { Component } from './component.ts'
import type { Tuple } from './tuple.ts'

/**
 * The tuples that a bolt's code is processing. They are also known after an await, and in callbacks
 * that run later.
 */
export interface Work {
  readonly component: Component
  readonly tuples: readonly Tuple<object>[]
}

const storage = new AsyncLocalStorage<Work>()

export function runWork<T>(work: Work, run: () => T): T {
  return storage.run(work, run)
}

/** The tuples that the calling code processes for the component; none if it processes nothing. */
export function currentTuples(component: Component): readonly Tuple<object>[] {
  const work = storage.getStore()
  return work?.component === component ? work.tuples : []
}
