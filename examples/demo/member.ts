/**
 * A member of the group in its own process. It reports to its parent which messages it reads and which partitions it
 * owns, and commits the reported messages. SIGTERM ends it gracefully.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { KafkaClient, KafkaError, type TopicPartition } from 'samsa'
import { checksumOf } from './checksum.ts'
import type { MemberEvent, MemberOptions, ReadMessage } from './events.ts'

const TELL_EVERY_MS = 100
const COMMIT_EVERY_MS = 1_000
const START_TIMEOUT_MS = 30_000

/** Resolves when the event has left this process, so that it arrives even if the process is killed. */
function tell(event: MemberEvent): Promise<void> {
  return new Promise((resolve, reject) => {
    process.send!(event, undefined, undefined, (error) => (error ? reject(error) : resolve()))
  })
}

/** Messages that were read and not reported yet, and the next offsets. */
class Reading {
  #untold: ReadMessage[] = []
  readonly #next = new Map<number, number>()

  add(message: ReadMessage): void {
    this.#untold.push(message)
    this.#next.set(message.partition, message.offset + 1)
  }

  forget(partitions: readonly number[]): void {
    for (const partition of partitions) this.#next.delete(partition)
  }

  async tell(): Promise<void> {
    do {
      const messages = this.#untold
      this.#untold = []
      await tell({ what: 'read', messages })
    } while (this.#untold.length > 0)
  }

  /** Commits only reported messages, because the audit has to know every message before a committed offset. */
  async commit(commitOffsets: (offsets: ReadonlyMap<number, number>) => Promise<void>) {
    await this.tell()
    const offsets = new Map(this.#next)
    if (offsets.size === 0) return
    await commitOffsets(offsets)
    await tell({ what: 'committed', offsets })
  }
}

async function main(options: MemberOptions): Promise<void> {
  const reading = new Reading()
  const ending = new AbortController()
  process.on('SIGTERM', () => ending.abort())
  // Ctrl-C reaches all processes of a terminal. The parent decides when to end this one.
  process.on('SIGINT', () => undefined)
  // The parent has ended.
  process.on('disconnect', () => process.exit(1))

  await using client = new KafkaClient({ hosts: options.hosts, clientId: 'samsa-demo' })
  await using consumer = await client.topic(options.topic).getBalancedConsumer(
    {
      ...options.consumer,
      onPartitionsAssigned: (all) => tell({ what: 'assigned', partitions: numbersOf(all) }),
      onPartitionsRevoked: async (all, member) => {
        await reading.commit((offsets) => member.commitOffsets(offsets))
        reading.forget(numbersOf(all))
        await tell({ what: 'revoked', partitions: numbersOf(all) })
      },
      onPartitionsLost: async (all) => {
        reading.forget(numbersOf(all))
        await tell({ what: 'lost', partitions: numbersOf(all) })
      },
    },
    { timeoutMs: START_TIMEOUT_MS },
  )
  await tell({ what: 'ready' })

  const telling = every(TELL_EVERY_MS, ending.signal, () => reading.tell())
  const committing = every(COMMIT_EVERY_MS, ending.signal, () =>
    reading.commit((offsets) => consumer.commitOffsets(offsets)),
  )
  const isEnding = () => ending.signal.aborted
  while (!isEnding()) {
    try {
      for await (const { partition, offset, value } of consumer.messages({
        signal: ending.signal,
      })) {
        reading.add({ partition, offset, checksum: checksumOf(value ?? Buffer.alloc(0)) })
      }
    } catch (error) {
      if (isEnding()) break
      if (!(error instanceof KafkaError) || !error.retriable) throw error
      await tell({ what: 'trouble', message: error.message })
    }
  }
  await Promise.all([telling, committing])
}

function numbersOf(partitions: readonly TopicPartition[]): number[] {
  return partitions.map(({ partition }) => partition)
}

/** Repeats `work`. A commit that a rebalance interrupts is repeated by the next one if it is still necessary. */
async function every(ms: number, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    await delay(ms, undefined, { signal }).catch(() => undefined)
    await work().catch((error: unknown) => tell({ what: 'trouble', message: String(error) }))
  }
}

main(JSON.parse(process.argv[2] ?? '') as MemberOptions)
  .catch(async (error: unknown) => {
    await tell({ what: 'failed', message: String(error) })
    process.exitCode = 1
  })
  .finally(() => process.removeAllListeners('disconnect').disconnect())
