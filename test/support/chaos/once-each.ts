import { KafkaClient } from '../../../src/client.ts'
import type { ProducerOptions } from '../../../src/producer/options.ts'
import { cutAfter, delay, stall, type Fault } from '../proxy-faults.ts'
import type { Proxy } from '../proxy.ts'

export interface OnceEachOptions {
  /** What all connections go through. */
  readonly proxy: Proxy
  /** Past the proxy, to read back. */
  readonly hosts: string
  readonly topic: string
  readonly partitions: number
  readonly messages: number
  /** The time between two misbehaviours, at most. */
  readonly everyMs: number
  readonly random: () => number
  /** Without idempotence a retry may come twice: then only the first copies must be in order. */
  readonly allowRepeats?: boolean
  readonly producer?: ProducerOptions
}

export interface OnceEachResult {
  /** What is wrong with the log: nothing is what is wanted. */
  readonly problems: readonly string[]
  /** How often connections were cut, or answers held back. */
  readonly misbehaviours: number
}

/** Short, so that what is swallowed is soon tried again. */
const SOCKET_TIMEOUT_MS = 1_000

/**
 * Produces numbered messages through a proxy that keeps cutting connections, in the middle of requests and of
 * answers, delays and swallows them; then reads the log back and compares: each message once, in order.
 */
export async function onceEach(options: OnceEachOptions): Promise<OnceEachResult> {
  const { proxy, topic, partitions, messages, everyMs, random } = options
  await using client = new KafkaClient({
    hosts: proxy.name,
    socketTimeoutMs: SOCKET_TIMEOUT_MS,
    retryBackoffMs: 10,
    retryBackoffMaxMs: 100,
    reconnectBackoffMs: 10,
    reconnectBackoffMaxMs: 100,
  })
  const producer = await client.topic(topic).getProducer(options.producer ?? {})
  let misbehaviours = 0
  const over = new AbortController()
  const misbehave = async (): Promise<void> => {
    while (!over.signal.aborted) {
      const direction = random() < 0.5 ? 'request' : 'response'
      const { fault, times } = anyFault(random)
      proxy.misbehave(direction, fault, { api: 'Produce', times })
      misbehaviours += times
      await new Promise((resolve) => setTimeout(resolve, everyMs * random()))
    }
  }
  const misbehaving = misbehave()
  try {
    for (let number = 0; number < messages; number++) {
      void producer.produce(String(number), { partition: number % partitions })
      if (!producer.hasRoom) await producer.ready()
      // Spread over some time, so that there are many requests to go wrong.
      if (number % 500 === 0) await new Promise((resolve) => setTimeout(resolve, 1))
    }
    await producer.flush()
  } finally {
    over.abort()
    await misbehaving
    await proxy.behave()
  }
  const { deliveredMessages, failedMessages } = producer
  const problems = await problemsOf(options)
  if (deliveredMessages !== messages || failedMessages !== 0) {
    problems.push(`${deliveredMessages} acknowledged, ${failedMessages} failed of ${messages}`)
  }
  return { problems, misbehaviours }
}

function anyFault(random: () => number): { fault: Fault; times: number } {
  const kind = random()
  // Not with resets: Node may then wait forever when the process ends, for writes that never complete.
  if (kind < 0.3) return { fault: cutAfter(Math.floor(random() * 2000)), times: 1 }
  if (kind < 0.45) return { fault: cutAfter(Math.floor(random() * 30)), times: 1 }
  // Two in a row: a retry that fails, too.
  if (kind < 0.6) return { fault: cutAfter(0), times: 2 }
  if (kind < 0.97) return { fault: delay(0, 30, random), times: 5 }
  // What is swallowed holds all up for long: it comes less often.
  return { fault: stall, times: 1 }
}

async function problemsOf(options: OnceEachOptions): Promise<string[]> {
  const { hosts, topic, partitions, messages } = options
  await using client = new KafkaClient({ hosts })
  const reading = { autoOffsetReset: 'earliest', stopAtEnd: true } as const
  await using consumer = await client.topic(topic).getSimpleConsumer(reading)
  /** The number that is next in each partition. */
  const next = Array.from({ length: partitions }, (_, partition) => partition)
  const problems: string[] = []
  for await (const { partition, offset, value } of consumer) {
    const number = Number(value?.toString())
    const expected = next[partition]!
    const isRepeat = number < expected && options.allowRepeats === true
    if (number !== expected && !isRepeat) {
      const what = number < expected ? 'came again' : `came, ${expected} did not`
      problems.push(`${number} at ${topic}-${partition} offset ${offset} ${what}`)
    }
    next[partition] = Math.max(expected, number + partitions)
  }
  next.forEach((number, partition) => {
    if (number < messages) problems.push(`${number} and later are missing in ${topic}-${partition}`)
  })
  return problems.slice(0, 20)
}
