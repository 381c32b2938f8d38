/** A member of a group in a process of its own: reads, commits, and writes down what it does until SIGTERM. */
import { openSync, writeSync } from 'node:fs'
import { KafkaClient, type BalancedConsumer } from '../../../../src/index.ts'
import { now, type MemberEvent, type MemberOptions } from './events.ts'

const options = JSON.parse(process.argv[2] ?? '') as MemberOptions
const file = openSync(options.log, 'a')

type Unstamped<Event> = Event extends unknown ? Omit<Event, 'at'> : never

function write(event: Unstamped<MemberEvent>): void {
  writeSync(file, `${JSON.stringify({ at: now(), ...event })}\n`)
}

async function commit(consumer: BalancedConsumer): Promise<void> {
  const offsets = [...consumer.positions]
  if (offsets.length === 0) return
  await consumer.commitOffsets()
  write({ what: 'committed', offsets })
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
      onPartitionsAssigned: (partitions) =>
        write({ what: 'assigned', partitions: numbers(partitions) }),
      onPartitionsRevoked: async (partitions, member) => {
        write({ what: 'revoked', partitions: numbers(partitions) })
        await commit(member)
        write({ what: 'given', partitions: numbers(partitions) })
      },
      onPartitionsLost: (partitions) => write({ what: 'lost', partitions: numbers(partitions) }),
    },
    { timeoutMs: 300_000 },
  )
  write({ what: 'started' })
  const isOver = new AbortController()
  process.once('SIGTERM', () => isOver.abort())
  const timer = setInterval(() => {
    commit(consumer).catch((error: unknown) => write({ what: 'error', message: String(error) }))
  }, options.commitIntervalMs)
  while (!isOver.signal.aborted) {
    try {
      for await (const { partition, offset } of consumer.messages({ signal: isOver.signal })) {
        write({ what: 'message', partition, offset })
      }
    } catch (error) {
      if (error !== isOver.signal.reason) write({ what: 'error', message: String(error) })
    }
  }
  clearInterval(timer)
  await consumer.close()
  write({ what: 'closed' })
}

main().catch((error: unknown) => {
  write({ what: 'error', message: String(error) })
  process.exitCode = 1
})
