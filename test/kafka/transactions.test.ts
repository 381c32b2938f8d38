import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { delimiter, join } from 'node:path'
import { KafkaClient } from '../../src/index.ts'
import { startKafka, type KafkaCluster } from '../support/kafka/cluster.ts'
import { describeWithBrokers, isAtLeast, versionsToTest } from '../support/real-brokers.ts'
import { until } from '../support/until.ts'
import { clientJars } from '../wire/support/jars.ts'

const VERSIONS = versionsToTest().filter((version) => isAtLeast(version, '0.11'))

describeWithBrokers('transactions', ['java'], () => {
  describe.each(VERSIONS)('on Kafka %s', (version) => {
    let kafka: KafkaCluster
    let client: KafkaClient
    let classPath: string

    beforeAll(async () => {
      kafka = await startKafka({ version })
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

    async function newTopic(name: string, partitions = 3): Promise<string> {
      await kafka.createTopic(name, { partitions })
      return name
    }

    it("shows Java's read_committed consumer exactly what was committed, of many short transactions", async () => {
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
    })

    it("is fenced by Java's producer of the same transactional id, and fences it", async () => {
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

    it('copies each message once through consumer.transact', async () => {
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

    it('makes nothing visible of a transaction that takes longer than its timeout', async () => {
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
      if (isAtLeast(version, '4.0')) {
        // The coordinator knows the epoch that it has ended, and gives out the next one (KIP-890).
        await tx.abort()
        await producer.transaction((next) => void next.produce(topic, 'next'))
        expect(await java(topic, 'read')).toEqual(['next'])
        return
      }
      await expect(tx.abort()).rejects.toMatchObject({ code: 'PRODUCER_FENCED' })
      expect(await java(topic, 'read')).toEqual([])
    })

    it('refuses a timeout above the maximum of the brokers', async () => {
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
})
