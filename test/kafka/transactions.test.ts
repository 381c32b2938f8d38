import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { spawn } from 'node:child_process'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { delimiter, join } from 'node:path'
import { KafkaClient, type RequestEvent } from '../../src/index.ts'
import { kcatRead } from '../support/kcat.ts'
import { startKafka, type KafkaCluster } from '../support/kafka/cluster.ts'
import { describeWithBrokers, isAtLeast, versionsToTest } from '../support/real-brokers.ts'
import { until } from '../support/until.ts'
import { clientJars } from '../wire/support/jars.ts'

interface Brokers {
  readonly version: string
  readonly brokers: number
  readonly transactionVersion?: 1
}

/** One broker of each version; where versions are chosen, clusters of three as well. */
const SIZES = process.env['SAMSA_BROKERS'] === undefined ? [1] : [1, 3]

const CLUSTERS: readonly (readonly [string, Brokers])[] = SIZES.flatMap((brokers) =>
  versionsToTest()
    .filter((version) => isAtLeast(version, '0.11'))
    .flatMap((version): readonly (readonly [string, Brokers])[] => {
      const name = brokers === 1 ? `Kafka ${version}` : `three brokers of Kafka ${version}`
      const older = { version, brokers, transactionVersion: 1 } as const
      return [
        [name, { version, brokers }],
        ...(isAtLeast(version, '4.0')
          ? [[`${name} with transaction.version=1`, older] as const]
          : []),
      ]
    }),
)

/** Resolves when a client that connects afterwards learns the level. */
async function downgrade(hosts: string, version: number): Promise<void> {
  await using client = new KafkaClient({ hosts })
  const feature = 'transaction.version'
  await client.admin.updateFeatures([{ feature, version, upgradeType: 'safeDowngrade' }])
  await until(async () => {
    await using reading = new KafkaClient({ hosts })
    const found = await reading.admin.describeFeatures()
    return found.find((one) => one.feature === feature)?.finalizedVersion === version
  })
}

describeWithBrokers('transactions', ['java', 'kcat'], () => {
  describe.each(CLUSTERS)('on %s', (_, { version, brokers, transactionVersion }) => {
    let kafka: KafkaCluster
    let client: KafkaClient
    let classPath: string

    beforeAll(async () => {
      kafka = await startKafka({
        version,
        brokers,
        // The default is 10 s, and a minute before Kafka 2.0.
        config: { 'transaction.abort.timed.out.transaction.cleanup.interval.ms': '500' },
      })
      if (transactionVersion !== undefined) await downgrade(kafka.hosts, transactionVersion)
      client = new KafkaClient({ hosts: kafka.hosts })
      // Kafka 4 clients do not speak to brokers before 2.1.
      classPath = join(await clientJars(isAtLeast(version, '2.1') ? '4.4.0' : '3.9.1'), '*')
    })
    afterAll(async () => {
      await client.close().catch(() => undefined)
      await kafka.stop()
    })

    function peer(...command: string[]) {
      const program = 'test/kafka/java/TransactionPeer.java'
      const args = ['-cp', [classPath].join(delimiter), program, kafka.hosts, ...command]
      return spawn('java', args, { stdio: ['pipe', 'pipe', 'inherit'] })
    }

    async function java(...command: string[]): Promise<string[]> {
      const child = peer(...command)
      child.stdin.end()
      const lines: string[] = []
      for await (const line of createInterface({ input: child.stdout })) lines.push(line)
      return lines
    }

    async function kcat(topic: string): Promise<string[]> {
      const committed = ['-X', 'isolation.level=read_committed']
      const read = await kcatRead({ version, hosts: kafka.hosts }, topic, '%s\n', committed)
      return read.toString().trimEnd().split('\n').sort()
    }

    async function newTopic(name: string, partitions = 3): Promise<string> {
      await kafka.createTopic(name, { partitions, replicationFactor: brokers })
      return name
    }

    it('add their partitions by requests of their own before transaction.version 2 only', async () => {
      const topic = await newTopic('added', 1)
      const apis = new Set<string>()
      const note = (event: unknown) => void apis.add((event as RequestEvent).api)
      await using producer = await client.getTransactionalProducer({ transactionalId: 'added' })
      subscribe('samsa:request', note)
      try {
        await producer.transaction((tx) => void tx.produce(topic, 'x'))
      } finally {
        unsubscribe('samsa:request', note)
      }
      const isSecond = isAtLeast(version, '4.0') && transactionVersion === undefined
      expect(apis.has('AddPartitionsToTxn')).toBe(!isSecond)
    })

    it("show Java's read_committed consumer and kcat exactly what was committed, in many short transactions", async () => {
      const topic = await newTopic('short')
      await using producer = await client.getTransactionalProducer({ transactionalId: 'short' })
      const expected: string[] = []
      for (let round = 0; round < 60; round++) {
        const values = Array.from({ length: 1 + (round % 5) }, (_, i) => `${round}-${i}`)
        const tx = await producer.begin()
        values.forEach((value, i) => void tx.produce(topic, { value, partition: i % 3 }))
        if (round % 3 === 1) {
          await tx.abort()
        } else {
          await tx.commit()
          expected.push(...values)
        }
      }
      expect((await java(topic, 'read')).sort()).toEqual(expected.sort())
      expect(await kcat(topic)).toEqual(expected.sort())
    })

    it("are fenced by Java's producer of the same transactional id, and fence it", async () => {
      const topic = await newTopic('takeover', 1)
      const ours = await client.getTransactionalProducer({ transactionalId: 'shared' })
      const tx = await ours.begin()
      await tx.produce(topic, 'ours, fenced')
      expect(await java(topic, 'write', 'shared', 'theirs')).toEqual(['committed'])
      await expect(tx.commit()).rejects.toMatchObject({ code: 'PRODUCER_FENCED' })
      await ours.close().catch(() => undefined)

      const holding = peer(topic, 'hold', 'shared', 'theirs, fenced')
      const lines = createInterface({ input: holding.stdout })
      expect(await once(lines, 'line')).toEqual(['open'])
      await using successor = await client.getTransactionalProducer({ transactionalId: 'shared' })
      await successor.transaction((one) => void one.produce(topic, 'ours'))
      holding.stdin.end('\n')
      expect(await once(lines, 'line')).toEqual(['fenced'])
      expect((await java(topic, 'read')).sort()).toEqual(['ours', 'theirs'])
    })

    it('copy each message once through consumer.transact', async () => {
      const [from, to] = [await newTopic('from'), await newTopic('to')]
      const values = Array.from({ length: 2_000 }, (_, i) => String(i))
      await using plain = await client.topic(from).getProducer()
      await plain.produceMany(values.map((value) => ({ value, key: value })))
      await using producer = await client.getTransactionalProducer({ transactionalId: 'copier' })
      await using consumer = await client.topic(from).getBalancedConsumer({
        consumerGroup: 'copiers',
        managed: true,
        autoOffsetReset: 'earliest',
      })
      let copied = 0
      let failed = 0
      const copying = async () => {
        try {
          await consumer.transact(producer, (batch, tx) => {
            for (const { value } of batch) void tx.produce(to, value)
            if (failed < 3) throw new Error('the handler failed')
            copied += batch.length
          })
        } catch (error) {
          if (++failed > 3) throw error
          await copying()
        }
      }
      const running = copying()
      await until(() => copied >= values.length)
      // Not by the handler, which close() would not wait for.
      await consumer.close()
      await running
      expect((await java(to, 'read')).sort()).toEqual(values.sort())
    })

    it('make nothing visible when they take longer than their timeout', async () => {
      const topic = await newTopic('late', 1)
      await using producer = await client.getTransactionalProducer({
        transactionalId: 'late',
        transactionTimeoutMs: 1_000,
      })
      const tx = await producer.begin()
      await tx.produce(topic, 'late')
      // The brokers look for transactions that have run out every 10 s.
      let problem: unknown
      while (problem === undefined) {
        try {
          await tx.produce(topic, 'late')
        } catch (error) {
          problem = error
        }
      }
      await expect(tx.commit()).rejects.toMatchObject({ code: 'TRANSACTION_FAILED' })
      if (isAtLeast(version, '4.0') && transactionVersion === undefined) {
        // The coordinator knows the epoch that it has ended, and gives out the next one (KIP-890).
        await tx.abort()
        await producer.transaction((next) => void next.produce(topic, 'next'))
        expect(await java(topic, 'read')).toEqual(['next'])
        return
      }
      await expect(tx.abort()).rejects.toMatchObject({ code: 'PRODUCER_FENCED' })
      expect(await java(topic, 'read')).toEqual([])
    })

    it('hide what was aborted across segments, also when the log starts within a transaction', async () => {
      const topic = 'segments'
      // The smallest that Kafka 4 takes.
      const config = { 'segment.bytes': String(1 << 20) }
      await kafka.createTopic(topic, { partitions: 1, replicationFactor: brokers, config })
      await using producer = await client.getTransactionalProducer({ transactionalId: topic })
      await using plain = await client.topic(topic).getProducer()
      const filler = 'x'.repeat(2_000)
      const expected: string[] = []
      for (let round = 0; round < 16; round++) {
        const tx = await producer.begin()
        // Each spans a segment or two, with what others write in between.
        for (let i = 0; i < 300; i++) {
          void tx.produce(topic, `${round}-${i} ${filler}`)
          if (i % 100 === 0) {
            await producer.flush()
            await plain.produce(`plain ${round}-${i}`)
            expected.push(`plain ${round}-${i}`)
          }
        }
        if (round % 2 === 0) await tx.abort()
        else {
          await tx.commit()
          expected.push(...Array.from({ length: 300 }, (_, i) => `${round}-${i}`))
        }
      }
      const read = async () => {
        const found: string[] = []
        await using consumer = await client.topic(topic).getSimpleConsumer({
          autoOffsetReset: 'earliest',
          isolationLevel: 'read_committed',
          stopAtEnd: true,
          fetchMessageMaxBytes: 300_000,
        })
        for await (const { value } of consumer) found.push(String(value).replace(` ${filler}`, ''))
        return found.sort()
      }
      expect(await read()).toEqual(expected.sort())
      // In the middle of the first transaction, which was aborted.
      await client.admin.deleteRecords([{ topic, partition: 0, beforeOffset: 150 }])
      const first = ['plain 0-0', 'plain 0-100']
      expect(await read()).toEqual(expected.filter((value) => !first.includes(value)))
    })

    it('stay separate when hundreds are open, and lag counts up to the first open one', async () => {
      const topic = await newTopic('hundreds', 1)
      await using plain = await client.topic(topic).getProducer()
      await plain.produce('first')
      const ids = Array.from({ length: 200 }, (_, i) => i)
      const open = await Promise.all(
        ids.map(async (i) => {
          const producer = await client.getTransactionalProducer({ transactionalId: `open ${i}` })
          const tx = await producer.begin()
          await tx.produce(topic, `${i}`)
          return { producer, tx }
        }),
      )
      await plain.produce('last')
      await using consumer = await client.topic(topic).getSimpleConsumer({
        autoOffsetReset: 'earliest',
        isolationLevel: 'read_committed',
      })
      expect(String((await consumer.consume())!.value)).toBe('first')
      // The last stable offset is that of the first open transaction.
      expect(consumer.lag.map(({ lag }) => lag)).toEqual([0])
      const values: string[] = []
      const reading = (async () => {
        for await (const { value } of consumer) {
          values.push(String(value))
          if (values.length === 101) return
        }
      })()
      await Promise.all(open.map(({ tx }, i) => (i % 2 === 0 ? tx.commit() : tx.abort())))
      await reading
      const evens = ids.filter((i) => i % 2 === 0).map(String)
      expect(values.sort()).toEqual([...evens, 'last'].sort())
      await Promise.all(open.map(({ producer }) => producer.close()))
    })

    it('refuse a second begin, messages outside of one, and calls after the end, without an effect on what is committed', async () => {
      const topic = await newTopic('misuse', 1)
      await using producer = await client.getTransactionalProducer({ transactionalId: 'misuse' })
      await expect(producer.produce()).rejects.toMatchObject({ code: 'NO_TRANSACTION' })
      const aborted = await producer.begin()
      await aborted.produce(topic, 'aborted')
      await expect(producer.begin()).rejects.toMatchObject({ code: 'TRANSACTION_IN_PROGRESS' })
      await aborted.abort()
      const ended = { code: 'TRANSACTION_ENDED', recovery: 'abort' }
      await expect(aborted.commit()).rejects.toMatchObject(ended)
      const committed = await producer.begin()
      await committed.produce(topic, 'committed')
      await expect(aborted.produce(topic, 'late')).rejects.toMatchObject(ended)
      await expect(aborted.abort()).rejects.toMatchObject(ended)
      await committed.commit()
      await expect(committed.abort()).rejects.toMatchObject(ended)
      expect(await kcat(topic)).toEqual(['committed'])
    })

    it('refuse the offsets of a member that has left its group, where the brokers check that, and commit nothing', async () => {
      const [from, to] = [await newTopic('left', 1), await newTopic('left-to', 1)]
      await using plain = await client.topic(from).getProducer()
      await plain.produce('input')
      const consumer = await client.topic(from).getBalancedConsumer({
        consumerGroup: 'leavers',
        managed: true,
        autoOffsetReset: 'earliest',
      })
      await consumer.consume()
      const group = consumer.groupMetadata()
      const offsets = [{ topic: from, partition: 0, offset: 1 }]
      await consumer.close()
      await using producer = await client.getTransactionalProducer({ transactionalId: 'left' })
      const tx = await producer.begin()
      await tx.produce(to, 'output')
      const committed = async () => {
        const found = await client.admin.listGroupOffsets(['leavers'])
        return found[0]?.offsets.find((one) => one.topic === from)?.offset
      }
      const sending = tx.sendOffsets({ offsets, group })
      if (!isAtLeast(version, '2.5')) {
        // Before KIP-447 the request does not name the member.
        await sending
        await tx.commit()
        // The broker writes the marker of the offsets after it has responded.
        await until(async () => (await committed()) === 1)
        return
      }
      const code: unknown = expect.stringMatching(/^(UNKNOWN_MEMBER_ID|ILLEGAL_GENERATION)$/)
      await expect(sending).rejects.toMatchObject({ code, recovery: 'recreate' })
      await expect(tx.commit()).rejects.toMatchObject({ code: 'TRANSACTION_FAILED' })
      await tx.abort()
      expect(await committed()).toBeUndefined()
      await producer.transaction((next) => void next.produce(to, 'next'))
      expect(await kcat(to)).toEqual(['next'])
    })

    it('are refused with a timeout above the maximum of the brokers', async () => {
      const opening = client.getTransactionalProducer({
        transactionalId: 'long',
        transactionTimeoutMs: 24 * 3600 * 1000,
      })
      await expect(opening).rejects.toMatchObject({
        code: 'INVALID_TRANSACTION_TIMEOUT',
        recovery: 'fix-configuration',
      })
    })
  })

  const OLDER = versionsToTest().filter((version) => !isAtLeast(version, '0.11'))
  // Jest refuses a table without rows, as where newer versions alone are chosen.
  for (const version of OLDER) {
    it(`are refused by name on Kafka ${version}, which has none`, async () => {
      await using kafka = await startKafka({ version })
      await using client = new KafkaClient({ hosts: kafka.hosts })
      const opening = client.getTransactionalProducer({ transactionalId: 'early' })
      await expect(opening).rejects.toMatchObject({
        code: 'UNSUPPORTED_VERSION',
        recovery: 'fix-configuration',
      })
    })
  }
})
