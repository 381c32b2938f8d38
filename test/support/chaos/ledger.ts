import type { KafkaClient } from '../../../src/client.ts'
import type { ConsumedMessage } from '../../../src/index.ts'
import type { Producer } from '../../../src/producer/producer.ts'

/**
 * Keeps what a producer to a topic of one partition was told, to compare it with the log afterwards. The
 * values are numbers that count up, with the ledger's name before them.
 */
export class Ledger {
  readonly #name: string
  readonly #producer: Producer
  /** The acknowledged offset of each value. */
  readonly #acknowledged = new Map<string, number>()
  #next = 0

  constructor(name: string, producer: Producer) {
    this.#name = name
    this.#producer = producer
  }

  get lastOffset(): number {
    return Math.max(-1, ...this.#acknowledged.values())
  }

  get count(): number {
    return this.#acknowledged.size
  }

  /** Rejects as `produce` does. */
  async produce(): Promise<void> {
    const value = `${this.#name}-${this.#next++}`
    const { offset } = await this.#producer.produce(value)
    this.#acknowledged.set(value, offset)
  }

  /**
   * What is wrong with the log: acknowledged messages that are not where they should be, and values whose
   * first copies are out of order. Copies are allowed: without idempotence delivery is at least once.
   */
  problems(log: readonly ConsumedMessage[]): string[] {
    const at = new Map(log.map((message) => [message.offset, textOf(message)]))
    const lost = [...this.#acknowledged].filter(([value, offset]) => at.get(offset) !== value)
    const own = log.map(textOf).filter((value) => value.startsWith(`${this.#name}-`))
    const first = [...new Set(own)].map((value) => Number(value.slice(this.#name.length + 1)))
    const swapped = first.filter((number, index) => index > 0 && number < first[index - 1]!)
    return [
      ...lost.map(([value, offset]) => `${value} is not at ${offset} but ${at.get(offset)}`),
      ...swapped.map((number) => `${this.#name}-${number} came after a later one`),
    ]
  }
}

export function textOf(message: ConsumedMessage): string {
  return Buffer.from(message.value ?? []).toString()
}

/** All that is in the topic now. */
export async function readLog(client: KafkaClient, topic: string): Promise<ConsumedMessage[]> {
  const options = { autoOffsetReset: 'earliest', stopAtEnd: true } as const
  await using consumer = await client.topic(topic).getSimpleConsumer(options)
  const log: ConsumedMessage[] = []
  for await (const message of consumer) log.push(message)
  return log
}
