/**
 * Lag in time: the age of the oldest message that a group has not processed. The message's
 * timestamp is read from the log, one message for each partition with a lag.
 */
import type { GroupLag, KafkaClient, TopicPartition } from '../index.ts'

/** The time limit; partitions that are not read by then have no lag in time. */
const READ_TIMEOUT_MS = 5_000
/** At most this many partitions are read, because each needs a fetch. */
const MOST_PARTITIONS = 1_000

export interface PartitionAge extends TopicPartition {
  readonly group: string
  readonly ageMs: number
}

/** Returns the lag of each group. Groups without lag have 0; groups whose messages could not be read are missing. */
export async function timeLags(
  client: KafkaClient,
  groups: readonly GroupLag[],
  signal: AbortSignal,
): Promise<{
  readonly byGroup: ReadonlyMap<string, number>
  readonly ages: readonly PartitionAge[]
}> {
  // Groups may have different offsets in one partition: each offset is read once.
  const wanted = new Map<
    string,
    { topic: string; partition: number; offset: number; groups: string[] }
  >()
  for (const { group, partitions } of groups) {
    for (const { topic, partition, offset, lag } of partitions) {
      if (lag === undefined || lag === 0 || wanted.size >= MOST_PARTITIONS) continue
      const at = offset ?? 0
      const key = JSON.stringify([topic, partition, at])
      const found = wanted.get(key)
      if (found === undefined) wanted.set(key, { topic, partition, offset: at, groups: [group] })
      else found.groups.push(group)
    }
  }
  const now = Date.now()
  const ages: PartitionAge[] = []
  for (const round of rounds([...wanted.values()])) {
    const timestamps = await timestampsAt(client, round, signal)
    for (const { topic, partition, groups: readers } of round) {
      const timestamp = timestamps.get(nameOf(topic, partition))
      if (timestamp === undefined || timestamp < 0) continue
      for (const group of readers) {
        ages.push({ group, topic, partition, ageMs: Math.max(0, now - timestamp) })
      }
    }
  }
  const byGroup = new Map<string, number>()
  for (const { group, lag } of groups) if (lag === 0) byGroup.set(group, 0)
  for (const { group, ageMs } of ages) byGroup.set(group, Math.max(byGroup.get(group) ?? 0, ageMs))
  return { byGroup, ages }
}

/** Each round contains a partition only once, because a consumer has one position in it. */
function rounds<One extends TopicPartition>(all: readonly One[]): readonly (readonly One[])[] {
  const found: One[][] = []
  const seen = new Map<string, number>()
  for (const one of all) {
    const name = nameOf(one.topic, one.partition)
    const index = seen.get(name) ?? 0
    seen.set(name, index + 1)
    ;(found[index] ??= []).push(one)
  }
  return found
}

async function timestampsAt(
  client: KafkaClient,
  places: readonly (TopicPartition & { readonly offset: number })[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>()
  const partitions: Record<string, number[]> = {}
  for (const { topic, partition } of places) (partitions[topic] ??= []).push(partition)
  const call = { signal, timeoutMs: READ_TIMEOUT_MS }
  await using consumer = await client.getConsumer(
    {
      topics: Object.keys(partitions),
      partitions,
      autoStart: false,
      consumerTimeoutMs: READ_TIMEOUT_MS,
      fetchMessageMaxBytes: 64 * 1024,
      queuedMaxMessages: 1,
    },
    call,
  )
  await consumer.start(call)
  for (const { topic, partition, offset } of places) consumer.seek({ topic, partition }, offset)
  while (found.size < places.length) {
    const message = await consumer.consume({ signal })
    if (message === undefined) break
    const { topic, partition, timestamp } = message
    const name = nameOf(topic, partition)
    if (!found.has(name)) found.set(name, timestamp)
    consumer.pause([{ topic, partition }])
  }
  return found
}

function nameOf(topic: string, partition: number): string {
  return `${topic}-${partition}`
}

/** A live view shows ? if a log cannot be read, and continues. */
export function unknownAges(): { readonly byGroup: ReadonlyMap<string, number> } {
  return { byGroup: new Map() }
}
