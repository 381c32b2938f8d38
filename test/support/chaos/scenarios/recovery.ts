import type { History } from '../checker/history.ts'

/** When a fault was injected, and when it was healed and all was in sync again. */
export interface Window {
  readonly from: number
  readonly to: number
}

export interface Recovery {
  /** The longest time in which a partition had nothing acknowledged, in milliseconds. */
  readonly produceMs: number
  /** The longest time in which nothing of a partition was delivered to the first group. */
  readonly consumeMs: number
}

/** How long the partitions that a fault hit the most stood still. */
export function recoveryOf(history: History, group: string, window: Window): Recovery {
  const acknowledged = new Map<number, number[]>()
  for (const { outcome } of history.sends) {
    if (outcome?.what === 'acknowledged') add(acknowledged, outcome.partition, outcome.at)
  }
  const delivered = new Map<number, number[]>()
  for (const { group: own, events } of history.consumers) {
    if (own !== group) continue
    for (const event of events) {
      if (event.what === 'delivered') add(delivered, event.partition, event.at)
    }
  }
  return { produceMs: longest(acknowledged, window), consumeMs: longest(delivered, window) }
}

function add(times: Map<number, number[]>, partition: number, at: number): void {
  const own = times.get(partition)
  if (own === undefined) times.set(partition, [at])
  else own.push(at)
}

function longest(byPartition: ReadonlyMap<number, readonly number[]>, window: Window): number {
  let gap = 0
  for (const times of byPartition.values()) {
    const sorted = times.toSorted((a, b) => a - b)
    for (let at = 1; at < sorted.length; at++) {
      const [before, after] = [sorted[at - 1]!, sorted[at]!]
      // Also what ends after the window, as the end of a rebalance.
      if (before < window.to && after > window.from) gap = Math.max(gap, after - before)
    }
  }
  return Math.round(gap)
}
