import { describe, expect, it } from '@jest/globals'
import { EmbeddedCluster, type EmbeddedClusterOptions } from '../../src/embedded/index.ts'
import {
  KafkaClient,
  type BalancedConsumer,
  type ConsumerBatch,
  type TransactOptions,
  type Transaction,
  type TransactionalProducer,
} from '../../src/index.ts'
import { setTimeout as delay } from 'node:timers/promises'
import { until } from '../support/until.ts'
import { committed } from './support/read-committed.ts'

const CLUSTERS: readonly (readonly [string, EmbeddedClusterOptions])[] = [
  ['transaction.version 2', {}],
  ['Kafka 3.9', { version: '3.9' }],
]
const MESSAGES = 300

async function start(options: EmbeddedClusterOptions): Promise<EmbeddedCluster> {
  const topics = { in: { partitions: 4 }, out: {} }
  const kafka = await EmbeddedCluster.start({ topics, ...options })
  await using client = new KafkaClient({ hosts: kafka.hosts })
  await using producer = await client.topic('in').getProducer()
  // A batch each, so that there are many transactions.
  for (let i = 0; i < MESSAGES; i++) await producer.produce(String(i), { partition: i % 4 })
  return kafka
}

function numbers(): string[] {
  return Array.from({ length: MESSAGES }, (_, i) => String(i)).sort()
}

function output(kafka: EmbeddedCluster): Promise<string[]> {
  return committed(kafka, 'out')
}

async function untilCopied(kafka: EmbeddedCluster): Promise<void> {
  while ((await output(kafka)).length < MESSAGES) await delay(10)
}

function copyBatch(batch: ConsumerBatch, tx: Transaction): void {
  for (const { value } of batch) void tx.produce('out', value)
}

/** Copies too, and notes the batches of each transaction. */
function copyNoting(transactions: Map<Transaction, ConsumerBatch[]>) {
  return (batch: ConsumerBatch, tx: Transaction) => {
    transactions.set(tx, [...(transactions.get(tx) ?? []), batch])
    copyBatch(batch, tx)
  }
}

function copied(transactions: ReadonlyMap<Transaction, readonly ConsumerBatch[]>): number {
  return [...transactions.values()].flat().reduce((sum, { length }) => sum + length, 0)
}

function member(client: KafkaClient): Promise<BalancedConsumer> {
  return client.topic('in').getBalancedConsumer({
    consumerGroup: 'copiers',
    managed: true,
    autoOffsetReset: 'earliest',
    isolationLevel: 'read_committed',
    fetchMessageMaxBytes: 200,
  })
}

interface Copying extends AsyncDisposable {
  readonly kafka: EmbeddedCluster
  readonly client: KafkaClient
  readonly producer: TransactionalProducer
  readonly consumer: BalancedConsumer
}

/** What copies `in` to `out`: a producer, and a member that has the group to itself. */
async function startCopying(options: EmbeddedClusterOptions): Promise<Copying> {
  const kafka = await start(options)
  const client = new KafkaClient({ hosts: kafka.hosts, retryBackoffMs: 5 })
  return {
    kafka,
    client,
    producer: await client.getTransactionalProducer({ transactionalId: 'copier' }),
    consumer: await member(client),
    [Symbol.asyncDispose]: async () => {
      try {
        await client.close()
      } finally {
        await kafka.stop()
      }
    },
  }
}

describe.each(CLUSTERS)('consumer.transact, %s', (_, options) => {
  it('copies each message once, whichever handler, response or commit fails meanwhile', async () => {
    await using copy = await startCopying(options)
    const { kafka, producer, consumer } = copy
    let batches = 0
    const state = { isDone: false }
    kafka.faults.on({ api: 'EndTxn', times: 2 }, { cutAfterBytes: 0 })
    kafka.faults.on({ api: 'TxnOffsetCommit', times: 2 }, { error: 'ILLEGAL_GENERATION' })
    const run = () =>
      consumer.transact(
        producer,
        (batch, tx) => {
          copyBatch(batch, tx)
          if (++batches % 7 === 0) throw new Error('the handler failed')
        },
        { maxWaitMs: 0 },
      )
    const failures: unknown[] = []
    const copying = (async () => {
      while (!state.isDone) {
        try {
          await run()
        } catch (error) {
          failures.push(error)
        }
      }
    })()
    await untilCopied(kafka)
    state.isDone = true
    await consumer.close()
    await copying
    expect(await output(kafka)).toEqual(numbers())
    expect(failures.length).toBeGreaterThan(0)
    for (const error of failures) {
      expect(String(error)).toMatch(/the handler failed|the consumer is closed/)
    }
  })

  it('copies each message once while members come and go', async () => {
    await using kafka = await start(options)
    const copier = async (id: number) => {
      const client = new KafkaClient({ hosts: kafka.hosts, retryBackoffMs: 5 })
      const producer = await client.getTransactionalProducer({ transactionalId: `copier-${id}` })
      const consumer = await member(client)
      const copying = consumer.transact(producer, async (batch, tx) => {
        for (const { value } of batch) await tx.produce('out', value)
      })
      return {
        stop: async () => {
          await consumer.close()
          await copying
          await client.close()
        },
      }
    }
    const copiers = [await copier(1)]
    copiers.push(await copier(2))
    await copiers.shift()!.stop()
    copiers.push(await copier(3))
    await untilCopied(kafka)
    await Promise.all(copiers.map((one) => one.stop()))
    expect(await output(kafka)).toEqual(numbers())
  })

  it('makes nothing visible from a member whose generation is over', async () => {
    await using copy = await startCopying(options)
    const { kafka, producer, consumer } = copy
    const stale = consumer.groupMetadata()
    const tx = await producer.begin()
    await tx.produce('out', 'zombie')
    const group = { ...stale, generationId: stale.generationId - 1 }
    await expect(
      tx.sendOffsets({ offsets: [{ topic: 'in', partition: 0, offset: 1 }], group }),
    ).rejects.toMatchObject({ code: 'ILLEGAL_GENERATION' })
    await expect(tx.commit()).rejects.toMatchObject({
      code: 'TRANSACTION_FAILED',
      recovery: 'abort',
    })
    await tx.abort()
    expect(await output(kafka)).toEqual([])
  })

  it('puts batches of several partitions into a transaction, up to maxMessages', async () => {
    await using copy = await startCopying(options)
    const { kafka, producer, consumer } = copy
    const transactions = new Map<Transaction, ConsumerBatch[]>()
    const copying = consumer.transact(
      producer,
      copyNoting(transactions),
      // The time never ends a transaction here.
      { maxMessages: MESSAGES / 3, maxWaitMs: 600_000 },
    )
    await until(() => copied(transactions) === MESSAGES)
    await consumer.close()
    await copying
    expect(await output(kafka)).toEqual(numbers())
    expect(transactions.size).toBeLessThanOrEqual(4)
    const [first] = transactions.values()
    expect(new Set(first!.map(({ partition }) => partition)).size).toBeGreaterThan(1)
  })

  it('commits the current transaction when one of its partitions is revoked', async () => {
    await using kafka = await start(options)
    await using client = new KafkaClient({ hosts: kafka.hosts, retryBackoffMs: 5 })
    const copy = async (id: string) => {
      const producer = await client.getTransactionalProducer({ transactionalId: id })
      const consumer = await member(client)
      const transactions = new Map<Transaction, ConsumerBatch[]>()
      const copying = consumer.transact(producer, copyNoting(transactions), { maxWaitMs: 600_000 })
      return { consumer, copying, transactions }
    }
    const first = await copy('first')
    await until(() => copied(first.transactions) === MESSAGES)
    expect(await output(kafka)).toEqual([])
    // Resolves when partitions were given to the second, which the first gives up only after its commit.
    const second = await copy('second')
    await until(() => second.consumer.assignment.length === 2)
    expect(await output(kafka)).toEqual(numbers())
    expect(first.transactions.size).toBe(1)
    for (const { consumer, copying } of [first, second]) {
      await consumer.close()
      await copying
    }
    expect(await output(kafka)).toEqual(numbers())
  })

  it('commits the current transaction when the consumer is closed', async () => {
    await using copy = await startCopying(options)
    const { kafka, producer, consumer } = copy
    let copiedMessages = 0
    const copying = consumer.transact(
      producer,
      (batch, tx) => {
        copiedMessages += batch.length
        copyBatch(batch, tx)
      },
      { maxWaitMs: 600_000 },
    )
    await until(() => copiedMessages === MESSAGES)
    await consumer.close()
    await copying
    expect(await output(kafka)).toEqual(numbers())
  })

  it('delivers a batch again if its transaction could not begin', async () => {
    await using kafka = await start(options)
    await using client = new KafkaClient({ hosts: kafka.hosts })
    const fenced = await client.getTransactionalProducer({ transactionalId: 'copier' })
    const consumer = await member(client)
    const producer = await client.getTransactionalProducer({ transactionalId: 'copier' })
    // Its first transaction fails when it is used, the second does not even begin.
    for (let i = 0; i < 2; i++) {
      await expect(consumer.transact(fenced, copyBatch)).rejects.toMatchObject({
        code: 'PRODUCER_FENCED',
      })
    }
    // It throws the unhandled failures of messages.
    await fenced.close().catch(() => undefined)
    const copying = consumer.transact(producer, copyBatch)
    await untilCopied(kafka)
    await consumer.close()
    await copying
    expect(await output(kafka)).toEqual(numbers())
  })

  it('aborts a transaction whose handler may have processed only half of its batch', async () => {
    await using copy = await startCopying(options)
    const { kafka, client, producer, consumer } = copy
    let isAtWork = false
    const copying = consumer.transact(producer, async (batch, tx) => {
      isAtWork = true
      await new Promise((resolve) => batch.signal.addEventListener('abort', resolve))
      await tx.produce('out', 'half')
    })
    await until(() => isAtWork)
    await consumer.close()
    await copying
    expect(await output(kafka)).toEqual([])
    const [group] = await client.admin.listGroupOffsets(['copiers'])
    expect(group!.offsets).toEqual([])
  })

  it('rejects commits of a batch outside its transaction', async () => {
    await using copy = await startCopying(options)
    const { producer, consumer } = copy
    await expect(consumer.transact(producer, (batch) => batch.commit())).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    })
  })

  it.each([{ maxMessages: 0 }, { maxWaitMs: -1 }, { maxMessage: 5 }, { signal: 'x' }])(
    'rejects the options %j',
    async (wrong) => {
      await using copy = await startCopying(options)
      const { producer, consumer } = copy
      await expect(
        consumer.transact(producer, () => undefined, wrong as TransactOptions),
      ).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    },
  )

  it('rejects a consumer that commits automatically, and a producer without transactions', async () => {
    await using kafka = await start(options)
    await using client = new KafkaClient({ hosts: kafka.hosts })
    const producer = await client.getTransactionalProducer({ transactionalId: 'copier' })
    const consumer = await client
      .topic('in')
      .getBalancedConsumer({ consumerGroup: 'g', managed: true, autoCommitEnable: true })
    await expect(consumer.transact(producer, () => undefined)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    })
  })
})
