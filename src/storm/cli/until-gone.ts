import { setTimeout } from 'node:timers/promises'
import type { Nimbus } from '../thrift/nimbus.ts'

const POLL_MS = 500

/**
 * Resolves when no topology has this name any more: its workers have then ended. Rejects when it is
 * aborted.
 */
export async function untilGone(nimbus: Nimbus, name: string, signal: AbortSignal): Promise<void> {
  for (;;) {
    const topologies = await nimbus.topologies()
    if (!topologies.some((one) => one.name === name)) return
    await setTimeout(POLL_MS, undefined, { signal })
  }
}
