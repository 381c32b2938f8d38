import type { KafkaClient, ShareConsumer, ShareMessage } from '../../../src/index.ts'
import { PATIENCE_MS } from '../patience.ts'

let nextQueue = 0

export interface Queue {
  readonly topic: string
  readonly group: string
  readonly partitions: number
}

/** A topic and a share group that reads it from its beginning; each has a name of its own. */
export async function newQueue(
  client: KafkaClient,
  partitions = 1,
  configs: Readonly<Record<string, string>> = {},
  topicConfigs: Readonly<Record<string, string>> = {},
): Promise<Queue> {
  const name = `queue-${process.pid}-${nextQueue++}`
  const queue = { topic: name, group: `${name}-workers`, partitions }
  await client.admin.createTopics([{ topic: queue.topic, partitions, configs: topicConfigs }])
  const set = { 'share.auto.offset.reset': 'earliest', ...configs }
  await client.admin.incrementalAlterConfigs([{ type: 'group', name: queue.group, set }])
  return queue
}

/** Writes the numbers from `first` on, one after the other over all partitions. */
export async function writeNumbers(
  client: KafkaClient,
  topic: string,
  count: number,
  { first = 0, partitions = 1, compression = 'none' as const } = {},
): Promise<void> {
  const producer = await client.topic(topic).getProducer({ compression })
  for (let number = first; number < first + count; number++) {
    void producer.produce(String(number), { partition: number % partitions })
  }
  await producer.flush()
  await producer.close()
}

export function numberOf({ value }: { readonly value: Buffer | null }): number {
  return Number(String(value))
}

/** The next message; throws if none comes. */
export async function nextOf(consumer: ShareConsumer): Promise<ShareMessage> {
  const message = await consumer.consume({ timeoutMs: PATIENCE_MS })
  if (message === undefined) throw new Error('no message came')
  return message
}

/** The next messages; throws if they do not come. */
export async function take(
  consumer: ShareConsumer,
  count: number,
): Promise<readonly ShareMessage[]> {
  const messages: ShareMessage[] = []
  while (messages.length < count) messages.push(await nextOf(consumer))
  return messages
}

/** How many messages the group has not finished; Infinity before it has begun with all partitions. */
export async function lagOf(
  client: KafkaClient,
  { topic, group, partitions }: Queue,
): Promise<number> {
  const [found] = await client.admin.listShareGroupOffsets([group])
  const offsets = found?.offsets.filter((one) => one.topic === topic) ?? []
  if (offsets.length < partitions) return Infinity
  return offsets.reduce((sum, { lag = Infinity }) => sum + lag, 0)
}
