/** A member of a group in a process of its own: reads, commits, and writes down what it does until SIGTERM. */
import { openSync, writeSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { KafkaClient, type BalancedConsumer } from '../../../../src/index.ts'
import { now, type MemberEvent, type MemberOptions } from './events.ts'

const options = JSON.parse(process.argv[2] ?? '') as MemberOptions
const file = openSync(options.log, 'a')

type Unstamped<Event> = Event extends unknown ? Omit<Event, 'at'> : never

function write(...events: readonly Unstamped<MemberEvent>[]): void {
  const at = now()
  // At once: a process may be stopped at any time.
  writeSync(file, events.map((event) => `${JSON.stringify({ at, ...event })}\n`).join(''))
}

interface Place {
  readonly partition: number
  readonly offset: number
}

/** Takes up to this long, so that rebalances and commits come while it is running. */
const LONGEST_WORK_MS = 15

async function work(messages: readonly Place[]): Promise<void> {
  const all = (what: 'message' | 'processed') =>
    messages.map(({ partition, offset }) => ({ what, partition, offset }))
  write(...all('message'))
  await delay(Math.random() * LONGEST_WORK_MS)
  write(...all('processed'))
}

/** Ends with the signal. */
async function read(consumer: BalancedConsumer, signal: AbortSignal): Promise<void> {
  switch (options.way) {
    case 'for await':
      for await (const message of consumer.messages({ signal })) await work([message])
      return
    case 'batches()':
      for await (const { messages } of consumer.batches({ signal })) await work(messages)
      return
    case 'run()':
      await consumer.run((message) => work([message]), { signal, concurrency: 4 })
  }
}

async function main(): Promise<void> {
  const note = (text: string) => write({ what: 'note', text })
  const logger = { debug: note, info: note, warn: note, error: note }
  await using client = new KafkaClient({ hosts: options.hosts, clientId: 'storm', logger })
  const numbers = (partitions: readonly { readonly partition: number }[]) =>
    partitions.map(({ partition }) => partition)
  write({ what: 'running' })
  const consumer = await client.topic(options.topic).getBalancedConsumer(
    {
      ...options.consumer,
      autoCommitEnable: true,
      autoCommitIntervalMs: options.commitIntervalMs,
      onPartitionsAssigned: (partitions) =>
        write({ what: 'assigned', partitions: numbers(partitions) }),
      onPartitionsRevoked: async (partitions, member) => {
        write({ what: 'revoked', partitions: numbers(partitions) })
        await member.commitOffsets()
        write({ what: 'given', partitions: numbers(partitions) })
      },
      onPartitionsLost: (partitions) => write({ what: 'lost', partitions: numbers(partitions) }),
    },
    { timeoutMs: 300_000 },
  )
  write({ what: 'started' })
  const isOver = new AbortController()
  process.once('SIGTERM', () => isOver.abort())
  while (!isOver.signal.aborted) {
    try {
      await read(consumer, isOver.signal)
    } catch (error) {
      if (error !== isOver.signal.reason) write({ what: 'error', message: String(error) })
    }
  }
  await consumer.close()
  write({ what: 'closed' })
}

main().catch((error: unknown) => {
  write({ what: 'error', message: String(error) })
  process.exitCode = 1
})
