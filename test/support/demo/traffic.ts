import { ClosedError, type Producer, type SimpleConsumer } from '../../../src/index.ts'
import type { Tally } from './tally.ts'

/** How many lines go to one partition before the next has its turn, and before others get theirs. */
const RUN = 500

/** Sends the lines again and again until it is over; resolves when all are acknowledged. */
export async function sendLines(
  producer: Producer,
  lines: readonly Buffer[],
  partitions: readonly number[],
  sent: Tally,
  isOver: () => boolean,
): Promise<void> {
  for (let next = 0; !isOver();) {
    const partition = partitions[(next / RUN) % partitions.length]!
    for (const end = next + RUN; next < end; next++) {
      const line = lines[next % lines.length]!
      void producer.produce(line, { partition })
      sent.add(partition, line)
    }
    await producer.ready()
    // Receiving happens in the same thread.
    await new Promise((resolve) => setImmediate(resolve))
  }
  await producer.flush()
}

/** Counts what arrives until the signal. */
export async function receiveLines(
  consumer: SimpleConsumer,
  received: Tally,
  signal: AbortSignal,
): Promise<void> {
  const stop = () => void consumer.close()
  signal.addEventListener('abort', stop)
  try {
    for await (const { partition, value } of consumer) {
      if (value !== null) received.add(partition, value)
    }
  } catch (error) {
    if (!(error instanceof ClosedError)) throw error
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
