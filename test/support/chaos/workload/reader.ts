import { subscribe } from 'node:diagnostics_channel'
import { setTimeout as delay } from 'node:timers/promises'
import {
  KafkaClient,
  TopicRecreatedError,
  type BalancedConsumer,
  type BalancedConsumerOptions,
  type ConsumedMessage,
  type HeartbeatEvent,
  type PositionEvent,
  type SimpleConsumer,
  type TopicPartition,
} from '../../../../src/index.ts'
import type { LineWriter } from './lines.ts'
import type { ReaderPlan } from './plan.ts'

const JOIN_TIMEOUT_MS = 300_000
const BACKOFF_MS = 100
const CONCURRENCY = 4
/** Enough for commits and rebalances to meet messages in process, and few enough to catch up after an outage. */
const BUSY_SHARE = 0.1

/** Reads all that comes, in its way, and writes down what it gets and what it has processed. */
export async function read(
  plan: ReaderPlan,
  lines: LineWriter,
  signal: AbortSignal,
): Promise<void> {
  subscribe('samsa:position', (event) => {
    const { partition, to } = event as PositionEvent
    lines.write({ what: 'moved', partition, offset: to })
  })
  subscribe('samsa:heartbeat', (event) => {
    if ((event as HeartbeatEvent).error !== undefined) lines.write({ what: 'doubted' })
  })
  await using client = new KafkaClient({ waitForCluster: true, ...plan.client, hosts: plan.hosts })
  const consumer =
    plan.group === undefined ? await alone(client, plan, lines) : await member(client, plan, lines)
  lines.write({ what: 'started' })
  while (!signal.aborted) {
    try {
      await deliver(plan, consumer, lines, signal)
    } catch (error) {
      if (error === signal.reason) break
      lines.write({ what: 'error', message: String(error) })
      if (error instanceof TopicRecreatedError && error.partition !== undefined) {
        // What the application has to decide: all of the new topic.
        consumer.seek(error.partition, 0)
        lines.write({ what: 'moved', partition: error.partition, offset: 0 })
      }
      await delay(BACKOFF_MS)
    }
  }
  await consumer.close({ timeoutMs: 20_000 })
}

async function alone(
  client: KafkaClient,
  { topic, options = {} }: ReaderPlan,
  lines: LineWriter,
): Promise<SimpleConsumer> {
  const consumer = await client.topic(topic).getSimpleConsumer(options)
  lines.write({ what: 'assigned', partitions: [...consumer.partitions.keys()] })
  return consumer
}

async function member(
  client: KafkaClient,
  { topic, group, options = {} }: ReaderPlan,
  lines: LineWriter,
): Promise<BalancedConsumer> {
  const { name, sessionTimeoutMs, commitIntervalMs, assignors, zookeeperHosts } = group!
  const numbers = (partitions: readonly { readonly partition: number }[]) =>
    partitions.map(({ partition }) => partition)
  const common = {
    ...options,
    consumerGroup: name,
    autoCommitEnable: true,
    autoCommitIntervalMs: commitIntervalMs,
    onPartitionsAssigned: (partitions: readonly TopicPartition[]) =>
      lines.write({ what: 'assigned', partitions: numbers(partitions) }),
    onPartitionsRevoked: async (
      partitions: readonly TopicPartition[],
      self: BalancedConsumer,
    ): Promise<void> => {
      lines.write({ what: 'revoked', partitions: numbers(partitions) })
      try {
        await self.commitOffsets()
      } catch (error) {
        lines.write({ what: 'uncommitted', partitions: numbers(partitions) })
        throw error
      }
      lines.write({ what: 'given', partitions: numbers(partitions) })
    },
    onPartitionsLost: (partitions: readonly TopicPartition[]) =>
      lines.write({ what: 'lost', partitions: numbers(partitions) }),
  }
  const all: BalancedConsumerOptions =
    zookeeperHosts === undefined
      ? {
          ...common,
          groupProtocol: 'classic',
          sessionTimeoutMs,
          heartbeatIntervalMs: Math.floor(sessionTimeoutMs / 6),
          ...(assignors === undefined ? {} : { assignors }),
        }
      : { ...common, zookeeperHosts, zookeeperConnectionTimeoutMs: sessionTimeoutMs }
  return client.topic(topic).getBalancedConsumer(all, { timeoutMs: JOIN_TIMEOUT_MS })
}

/** Ends with the signal, by an error. */
async function deliver(
  { way, workMs, isCompared }: ReaderPlan,
  consumer: SimpleConsumer | BalancedConsumer,
  lines: LineWriter,
  signal: AbortSignal,
): Promise<void> {
  const write: LineWriter['write'] = (...all) =>
    isCompared ? lines.later(...all) : lines.write(...all)
  const work = (messages: readonly ConsumedMessage[]) => workOn(messages, workMs, write)
  switch (way) {
    case 'for await':
      for await (const message of consumer.messages({ signal })) await work([message])
      return
    case 'batches':
      for await (const { messages } of consumer.batches({ signal })) await work(messages)
      return
    case 'run':
      return consumer.run((message) => work([message]), { signal, concurrency: CONCURRENCY })
    case 'run by key':
      return consumer.run((message) => work([message]), {
        signal,
        concurrency: CONCURRENCY,
        orderBy: 'key',
      })
    case 'stream':
      for await (const message of consumer.stream({ signal })) {
        await work([message as ConsumedMessage])
      }
      return
    default:
      throw new Error(`no such way to read: ${String(way satisfies never)}`)
  }
}

async function workOn(
  messages: readonly ConsumedMessage[],
  workMs: number,
  write: LineWriter['write'],
): Promise<void> {
  const all = (what: 'delivered' | 'processed') =>
    messages.map(({ partition, offset, value }) => ({
      what,
      partition,
      offset,
      id: String(value),
    }))
  write(...all('delivered'))
  if (workMs > 0 && Math.random() < BUSY_SHARE) await delay(workMs * Math.random())
  write(...all('processed'))
}
