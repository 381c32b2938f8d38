import { setTimeout as delay } from 'node:timers/promises'
import type { Producer } from 'samsa'
import { checksumOf } from './checksum.ts'
import type { Ledger } from './ledger.ts'

const TICK_MS = 50

/**
 * Sends the lines to the partitions in rotation at `perSecond`, repeating from the first line, until the signal is
 * aborted. Resolves when all messages are acknowledged; throws if one failed.
 */
export async function feed(
  producer: Producer,
  lines: readonly Buffer[],
  ledger: Ledger,
  perSecond: number,
  signal: AbortSignal,
): Promise<void> {
  const { partitions } = ledger
  const startedAt = performance.now()
  for (let next = 0; !signal.aborted;) {
    const due = ((performance.now() - startedAt) / 1000) * perSecond
    for (; next < due; next++) {
      const line = lines[next % lines.length]!
      const partition = partitions[next % partitions.length]!
      // flush() throws the first failure.
      void producer.produce(line, { partition })
      ledger.addSent(partition, checksumOf(line))
    }
    await producer.ready()
    await delay(TICK_MS)
  }
  await producer.flush()
}
