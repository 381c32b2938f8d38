import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { BalancedConsumer } from '../../../src/index.ts'

/** Resolves when it is so, which is looked at whenever a rebalance of a member in this process is over. */
export async function untilRebalanced(isSo: () => boolean): Promise<void> {
  if (isSo()) return
  await new Promise<void>((resolve) => {
    const look = () => {
      if (!isSo()) return
      unsubscribe('samsa:rebalance', look)
      resolve()
    }
    subscribe('samsa:rebalance', look)
  })
}

/** Resolves when these share this many partitions, each in one place, and as many here as there, or one more. */
export function shared(consumers: readonly BalancedConsumer[], partitions: number): Promise<void> {
  return untilRebalanced(() => {
    const owned = consumers.flatMap((consumer) => consumer.partitions)
    const sizes = consumers.map((consumer) => consumer.partitions.length)
    const isEven = Math.max(...sizes) - Math.min(...sizes) <= 1
    return isEven && owned.length === partitions && new Set(owned).size === partitions
  })
}
