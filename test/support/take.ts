import type { ConsumedMessage } from '../../src/index.ts'
import { PATIENCE_MS } from './patience.ts'

interface Consuming {
  consume(options: { readonly timeoutMs: number }): Promise<ConsumedMessage | undefined>
}

/** The next this many messages; throws if they do not come in time. */
export async function take(
  consumer: Consuming,
  count: number,
  timeoutMs = PATIENCE_MS,
): Promise<ConsumedMessage[]> {
  const messages: ConsumedMessage[] = []
  while (messages.length < count) {
    const message = await consumer.consume({ timeoutMs })
    if (message === undefined) throw new Error(`Only ${messages.length} of ${count} messages came`)
    messages.push(message)
  }
  return messages
}

/** Their values as text. */
export async function takeTexts(
  consumer: Consuming,
  count: number,
  timeoutMs?: number,
): Promise<string[]> {
  return (await take(consumer, count, timeoutMs)).map(({ value }) => String(value))
}
