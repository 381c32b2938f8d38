/**
 * Kafka's test of exactly-once processing (its `transactions_test`): processes copy a topic in transactions while they
 * and their brokers are killed. The copy must be the original, each partition in its order.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { KafkaClient, type BalancedConsumerOptions } from '../../../src/index.ts'
import { guardChild } from '../kafka/watchdog.ts'
import { until } from '../until.ts'
import type { CopierPlan } from './copier.ts'

export interface CopyTest {
  readonly hosts: string
  /** Both topics exist, with as many partitions. */
  readonly from: string
  readonly to: string
  readonly partitions: number
  readonly messages: number
  readonly perTransaction: number
  readonly copiers: number
  /** The protocol of the copiers' group, and its options. */
  readonly members: Partial<BalancedConsumerOptions>
  readonly workMs: number
  /** Called when the copy has reached 20, 40 and 60 %, while a copier is dead. */
  readonly disturb: (percent: number) => Promise<void>
}

/** The values of each partition, in the order of the log. */
export type Partitions = readonly (readonly string[])[]

export interface CopyResult {
  readonly expected: Partitions
  /** What a consumer saw that read while the copy was made, and another that read when it was done. */
  readonly concurrent: Partitions
  readonly afterwards: Partitions
  /** Of aborted transactions: no consumer may see them. */
  readonly uncommittedMessages: number
}

const KILLED_AT = [20, 40, 60]

export async function copyWhileKilled(test: CopyTest): Promise<CopyResult> {
  await using client = new KafkaClient({ hosts: test.hosts, operationTimeoutMs: 60_000 })
  const expected = await writeInput(client, test)
  const group = `copiers of ${test.from}`
  const start = (index: number) => Copier.start(test, group, index)
  const copiers = await Promise.all(Array.from({ length: test.copiers }, (_, i) => start(i)))
  const ending = new AbortController()
  const sent = new Counter()
  const counting = sent.count(client, test.to, ending.signal)
  try {
    await using reader = await client.topic(test.to).getSimpleConsumer({
      autoOffsetReset: 'earliest',
      isolationLevel: 'read_committed',
    })
    const concurrent: string[][] = expected.map(() => [])
    const stages = [...KILLED_AT]
    let count = 0
    for await (const { partition, value } of reader) {
      concurrent[partition]!.push(String(value))
      if (++count === test.messages) break
      if (count < ((stages[0] ?? Infinity) / 100) * test.messages) continue
      const percent = stages.shift()!
      // Most likely the transaction of the sender is open.
      await until(() => sent.value > count + 100)
      const index = copiers.findIndex((_, i) => transactionalIdOf(test, i) === sent.last)
      await copiers[index]!.kill()
      await test.disturb(percent)
      copiers[index] = await start(index)
    }
    ending.abort()
    await counting
    await Promise.all(copiers.map((copier) => copier.stop()))
    const afterwards = await readAll(client, test, 'read_committed')
    const all = await readAll(client, test, 'read_uncommitted')
    return {
      expected,
      concurrent,
      afterwards,
      uncommittedMessages: countOf(all) - countOf(afterwards),
    }
  } finally {
    counting.catch(() => undefined)
    await Promise.all(copiers.map((copier) => copier.kill()))
  }
}

/** Batches of half a transaction, which a consumer does not join. */
async function writeInput(client: KafkaClient, test: CopyTest): Promise<Partitions> {
  const { partitions, messages, perTransaction } = test
  const values = Array.from({ length: partitions }, (_, partition) =>
    Array.from({ length: messages / partitions }, (_, i) => `${partition}-${i}`),
  )
  await using producer = await client.topic(test.from).getProducer()
  const size = Math.ceil(perTransaction / 2)
  for (let at = 0; at < messages / partitions; at += size) {
    await producer.produceMany(
      values.flatMap((of, partition) =>
        of.slice(at, at + size).map((value) => ({ partition, key: value, value })),
      ),
    )
  }
  return values
}

async function readAll(
  client: KafkaClient,
  { to, partitions }: CopyTest,
  isolationLevel: 'read_committed' | 'read_uncommitted',
): Promise<Partitions> {
  await using consumer = await client.topic(to).getSimpleConsumer({
    autoOffsetReset: 'earliest',
    isolationLevel,
    stopAtEnd: true,
  })
  const read: string[][] = Array.from({ length: partitions }, () => [])
  for await (const { partition, value } of consumer) read[partition]!.push(String(value))
  return read
}

function transactionalIdOf({ from }: CopyTest, index: number): string {
  return `copier ${index} of ${from}`
}

/** Counts all messages that are sent, also those that are not committed yet. */
class Counter {
  value = 0
  /** The copier that has sent the last one. */
  last = ''

  async count(client: KafkaClient, topic: string, signal: AbortSignal): Promise<void> {
    await using consumer = await client
      .topic(topic)
      .getSimpleConsumer({ autoOffsetReset: 'earliest' })
    try {
      for await (const { headers } of consumer.messages({ signal })) {
        this.value++
        this.last = String(headers.find(({ key }) => key === 'copier')?.value)
      }
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }
}

export function countOf(partitions: Partitions): number {
  return partitions.reduce((sum, { length }) => sum + length, 0)
}

/** Lines `partition value`, as other clients print them. */
export function partitionsOf(lines: readonly string[], partitions: number): Partitions {
  const read: string[][] = Array.from({ length: partitions }, () => [])
  for (const line of lines) {
    const [partition = '', value = ''] = line.split(' ')
    read[Number(partition)]!.push(value)
  }
  return read
}

class Copier {
  readonly #child: ChildProcess
  readonly #ended: Promise<unknown>

  private constructor(child: ChildProcess) {
    this.#child = child
    this.#ended = once(child, 'close')
  }

  /** Resolves when it is in the group, which may have to wait for the session of a dead member. */
  static async start(test: CopyTest, group: string, index: number): Promise<Copier> {
    const plan: CopierPlan = {
      hosts: test.hosts,
      from: test.from,
      to: test.to,
      group,
      transactionalId: transactionalIdOf(test, index),
      members: test.members,
      maxMessages: test.perTransaction,
      workMs: test.workMs,
    }
    const script = 'test/support/transactions/copier.ts'
    const args = ['--import', 'tsx', script, JSON.stringify(plan)]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    guardChild(child)
    const copier = new Copier(child)
    const line = once(createInterface({ input: child.stdout }), 'line')
    const ended = copier.#ended.then(() => {
      throw new Error(`copier ${index} ended with exit code ${child.exitCode}`)
    })
    await Promise.race([line, ended])
    ended.catch(() => undefined)
    return copier
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#ended
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGTERM')
    await this.#ended
    if (this.#child.exitCode === 0) return
    throw new Error(
      `a copier ended with ${this.#child.signalCode ?? `exit code ${this.#child.exitCode}`}`,
    )
  }
}
