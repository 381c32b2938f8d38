import { AsyncLocalStorage } from 'node:async_hooks'
import type { Component } from './component.ts'
import type { Tuple } from './tuple.ts'

/** What a bolt's code is processing: known across awaits, and in callbacks that it has left behind. */
export interface Work {
  readonly component: Component
  readonly tuples: readonly Tuple<object>[]
}

const storage = new AsyncLocalStorage<Work>()

export function runWork<T>(work: Work, run: () => T): T {
  return storage.run(work, run)
}

/** The tuples that the code that calls this processes for the component; none where it processes nothing. */
export function currentTuples(component: Component): readonly Tuple<object>[] {
  const work = storage.getStore()
  return work?.component === component ? work.tuples : []
}
