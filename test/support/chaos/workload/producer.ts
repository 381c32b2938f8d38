import { setTimeout as delay } from 'node:timers/promises'
import {
  KafkaClient,
  ProduceFailureError,
  ProduceManyError,
  type DeliveryReport,
  type Producer,
} from '../../../../src/index.ts'
import type { LineWriter } from './lines.ts'
import type { ProducerPlan } from './plan.ts'

interface Numbered {
  readonly lane: string
  readonly sequence: number
  readonly value: string
  readonly partition?: number
  readonly key?: string
}

const TICK_MS = 20

/** Sends numbered messages at a steady rate, and writes down what becomes of each. */
export async function produce(
  plan: ProducerPlan,
  lines: LineWriter,
  signal: AbortSignal,
): Promise<void> {
  await using client = new KafkaClient({ waitForCluster: true, ...plan.client, hosts: plan.hosts })
  const outcomes = new Outcomes(plan.name, lines)
  const producer = await client.topic(plan.topic).getProducer({
    lingerMs: 2,
    ...plan.options,
    ...(plan.way === 'delivery reports'
      ? { deliveryReports: (report: DeliveryReport) => outcomes.reported(report) }
      : {}),
  })
  lines.write({ what: 'started' })
  const startedAt = performance.now()
  let count = 0
  while (!signal.aborted) {
    await delay(TICK_MS)
    const due = Math.floor(((performance.now() - startedAt) * plan.messagesPerSecond) / 1_000)
    // After a block or a freeze it continues at its rate.
    const messages = numbered(plan, count, Math.min(due - count, plan.messagesPerSecond))
    count = due
    if (messages.length === 0) continue
    lines.write(
      ...messages.map(({ lane, sequence }) => ({ what: 'sent' as const, lane, sequence })),
    )
    send(plan, producer, messages, outcomes)
    if (!producer.hasRoom) await producer.ready({ signal }).catch(() => undefined)
  }
  // Each failure was written down.
  await producer.close().catch(() => undefined)
}

/** Round robin over the lanes; the sequence is the number of the message. */
function numbered(plan: ProducerPlan, from: number, count: number): Numbered[] {
  return Array.from({ length: Math.max(0, count) }, (_, index) => {
    const sequence = from + index
    const number = sequence % plan.laneCount
    const isKey = plan.lanes === 'keys'
    const lane = isKey ? `key-${number}` : String(number)
    const value = `${plan.name}/${lane}/${sequence}`
    return { lane, sequence, value, ...(isKey ? { key: lane } : { partition: number }) }
  })
}

function send(
  { way, topic }: ProducerPlan,
  producer: Producer,
  messages: readonly Numbered[],
  outcomes: Outcomes,
): void {
  const fields = ({ value, key, partition }: Numbered) => ({
    value,
    ...(key === undefined ? {} : { key }),
    ...(partition === undefined ? {} : { partition }),
  })
  switch (way) {
    case 'produce':
      for (const message of messages) {
        const { value, ...more } = fields(message)
        producer.produce(value, more).then(
          ({ partition, offset }) => outcomes.acknowledged(message, partition, offset),
          (error: unknown) => outcomes.failed(message, error),
        )
      }
      return
    case 'delivery reports':
      for (const message of messages) {
        const { value, ...more } = fields(message)
        void producer.produce(value, more)
      }
      return
    case 'produceMany':
      producer.produceMany(messages.map(fields)).then(
        ({ ranges }) => {
          const next = new Map<number, number[]>()
          for (const { partition, baseOffset, count } of ranges) {
            const offsets = Array.from({ length: count }, (_, index) =>
              baseOffset === -1 ? -1 : baseOffset + index,
            )
            next.set(partition, [...(next.get(partition) ?? []), ...offsets])
          }
          for (const message of messages) {
            const partition = message.partition!
            outcomes.acknowledged(message, partition, next.get(partition)?.shift() ?? -1)
          }
        },
        (error: unknown) => {
          if (!(error instanceof ProduceManyError)) throw error
          const failures = new Map(
            error.failures.map((failure) => [valueOf(failure.message), failure.error]),
          )
          for (const message of messages) {
            const failure = failures.get(message.value)
            if (failure !== undefined) outcomes.failed(message, failure)
            // It does not name the offsets of the others.
            else outcomes.acknowledged(message, message.partition!, -1)
          }
        },
      )
      return
    default:
      throw new Error(`no such way to produce to ${topic}: ${String(way satisfies never)}`)
  }
}

/** A failed message is as it was given, or has its value as bytes. */
function valueOf(message: unknown): string {
  if (typeof message !== 'object' || message === null || !('value' in message)) return ''
  const { value } = message
  return value instanceof Uint8Array ? Buffer.from(value).toString() : String(value)
}

/** Writes down what became of messages. */
class Outcomes {
  readonly #name: string
  readonly #lines: LineWriter

  constructor(name: string, lines: LineWriter) {
    this.#name = name
    this.#lines = lines
  }

  acknowledged({ lane, sequence }: Numbered, partition: number, offset: number): void {
    this.#lines.later({ what: 'acknowledged', lane, sequence, partition, offset })
  }

  failed({ lane, sequence }: Numbered, error: unknown): void {
    const isCertain = !(error instanceof ProduceFailureError && error.outcomeUnknown)
    this.#lines.later({ what: 'failed', lane, sequence, isCertain, error: String(error) })
  }

  reported({ value, partition, offset, error }: DeliveryReport): void {
    const text = valueOf({ value })
    const [lane = '', sequence = ''] = text.slice(this.#name.length + 1).split('/')
    const message = { lane, sequence: Number(sequence), value: text }
    if (error === undefined) this.acknowledged(message, partition, offset)
    else this.failed(message, error)
  }
}
