import { setTimeout as delay } from 'node:timers/promises'
import { KafkaClient } from '../../../../src/index.ts'
import { check, type Verdict } from './checker.ts'
import { Crowd, type CrowdOptions } from './crowd.ts'
import { now, type Committed } from './events.ts'

export interface StormOptions extends CrowdOptions {
  readonly durationMs: number
  /** How often something is done to a process. */
  readonly everyMs: number
  /** After how many changes the group is left alone until it has settled, which is checked. */
  readonly changesInARow: number
  readonly messagesPerSecond: number
}

export interface StormResult extends Verdict {
  readonly produced: number
  /** How many different states of the group's committed offsets were seen. */
  readonly commits: number
  readonly deeds: Readonly<Record<string, number>>
  /** Each time that the group was left alone: from the last change until each partition was one member's. */
  readonly settledMs: readonly number[]
}

/** Starts, kills, stops and ends members of a group while messages are produced, then checks what they wrote. */
export async function storm(options: StormOptions): Promise<StormResult> {
  const { hosts, topic, durationMs, everyMs, changesInARow } = options
  await using client = new KafkaClient({ hosts })
  const producing = new AbortController()
  const produced = produce(client, options, producing.signal)
  // Where the storm itself fails, that is what is told.
  produced.catch(() => undefined)
  const watching = new AbortController()
  const committed = watchCommits(client, options, watching.signal)
  committed.catch(() => undefined)
  const crowd = new Crowd(options)
  const settledMs: number[] = []
  try {
    for (let i = 0; i < options.processes; i++) crowd.start()
    settledMs.push(await crowd.settled())
    const end = now() + durationMs
    for (let changes = 1; now() < end; changes++) {
      await delay(everyMs * (0.5 + options.random()))
      crowd.change()
      if (changes % changesInARow === 0) settledMs.push(await crowd.settled())
    }
    settledMs.push(await crowd.settled())
    producing.abort()
    const count = await produced
    const ends = await client.topic(topic).latestAvailableOffsets()
    await crowd.hasRead(ends)
    await crowd.leave()
    watching.abort()
    const commits = await committed
    return {
      ...check(crowd.lives, ends, commits),
      commits: commits.length,
      produced: count,
      deeds: crowd.deeds,
      settledMs,
    }
  } finally {
    producing.abort()
    watching.abort()
    await crowd.kill()
  }
}

/** How often the group's committed offsets are looked at: more often than members commit. */
const LOOK_EVERY_MS = 20

/** What the brokers have of the group's offsets, whatever its members say. */
async function watchCommits(
  client: KafkaClient,
  { topic, consumer: { consumerGroup } }: StormOptions,
  signal: AbortSignal,
): Promise<readonly Committed[]> {
  await using consumer = await client.topic(topic).getSimpleConsumer({ consumerGroup })
  consumer.pause()
  const seen: Committed[] = []
  while (!signal.aborted) {
    const offsets = await consumer.fetchOffsets()
    const last = seen.at(-1)?.offsets
    const isNew = [...offsets].some(([partition, offset]) => last?.get(partition) !== offset)
    if (isNew) seen.push({ at: now(), offsets })
    await delay(LOOK_EVERY_MS)
  }
  return seen
}

async function produce(
  client: KafkaClient,
  { topic, partitions, messagesPerSecond }: StormOptions,
  signal: AbortSignal,
): Promise<number> {
  await using producer = await client.topic(topic).getProducer({ lingerMs: 5 })
  let count = 0
  while (!signal.aborted) {
    for (let i = 0; i < messagesPerSecond / 20; i++) {
      void producer.produce(`${count}`, { partition: count % partitions })
      count++
    }
    await delay(50)
  }
  // Throws if any of them failed.
  await producer.flush()
  return count
}
