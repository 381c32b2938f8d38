import type { KeptResult } from './results.ts'

/** The recoveries of both clients from the faults of one kind, in milliseconds. */
export interface Compared {
  readonly fault: string
  readonly version: string
  readonly what: 'produce' | 'consume'
  readonly samsa: readonly number[]
  readonly java: readonly number[]
}

/** By fault and version, in the order of the results. */
export function comparedRecoveries(results: readonly KeptResult[]): readonly Compared[] {
  const found = new Map<string, Compared & { samsa: number[]; java: number[] }>()
  for (const { version, injected } of results) {
    for (const { name: fault, samsa, java } of injected) {
      if (samsa === undefined || java === undefined) continue
      for (const what of ['produce', 'consume'] as const) {
        const key = `${fault} ${version} ${what}`
        const one = found.get(key) ?? { fault, version, what, samsa: [], java: [] }
        found.set(key, one)
        const of = what === 'produce' ? 'produceMs' : 'consumeMs'
        one.samsa.push(samsa[of])
        one.java.push(java[of])
      }
    }
  }
  return [...found.values()]
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >>> 1
  const upper = sorted[middle] ?? 0
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2
}
