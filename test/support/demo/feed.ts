import { setTimeout as delay } from 'node:timers/promises'
import type { Producer } from '../../../src/index.ts'
import { checksumOf } from './checksum.ts'
import type { Ledger } from './ledger.ts'

const TICK_MS = 50

/**
 * Sends the lines to each partition in turn, so many a second, again from the start after the last, until the
 * signal; resolves when all are acknowledged, and throws if one was not.
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
      // What goes wrong is thrown by flush.
      void producer.produce(line, { partition })
      ledger.addSent(partition, checksumOf(line))
    }
    await producer.ready()
    await delay(TICK_MS)
  }
  await producer.flush()
}
