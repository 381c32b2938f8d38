import { groupedBy } from '../../../../src/embedded/handlers/grouped-by.ts'
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
  const acknowledged = history.sends.flatMap(({ outcome }) =>
    outcome?.what === 'acknowledged' ? [outcome] : [],
  )
  const delivered = history.consumers
    .filter((consumer) => consumer.group === group)
    .flatMap(({ events }) => events.filter((event) => event.what === 'delivered'))
  return { produceMs: longest(acknowledged, window), consumeMs: longest(delivered, window) }
}

interface Step {
  readonly partition: number
  readonly at: number
}

function longest(steps: readonly Step[], window: Window): number {
  let gap = 0
  for (const own of groupedBy(steps, ({ partition }) => partition).values()) {
    const sorted = own.map(({ at }) => at).sort((a, b) => a - b)
    for (let at = 1; at < sorted.length; at++) {
      const [before, after] = [sorted[at - 1]!, sorted[at]!]
      // Also what ends after the window, as the end of a rebalance.
      if (before < window.to && after > window.from) gap = Math.max(gap, after - before)
    }
  }
  return Math.round(gap)
}
