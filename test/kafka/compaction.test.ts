import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { KafkaClient } from '../../src/index.ts'
import { kcatRead } from '../support/kcat.ts'
import { startKafka, type KafkaCluster } from '../support/kafka/cluster.ts'
import { describeWithBrokers, isAtLeast, versionsToTest } from '../support/real-brokers.ts'
import { until } from '../support/until.ts'

const VERSIONS =
  process.env['SAMSA_BROKERS'] === undefined
    ? ['4.4.0']
    : versionsToTest().filter((version) => isAtLeast(version, '0.11'))

const TOPIC = 'latest-values'
const ROUNDS = 30
const KEYS_PER_ROUND = 60
const KEYS = 100
/** Large values, so that the segments that the broker may compact fill quickly. */
const FILLER = 'x'.repeat(5_000)

/** Tells whether more than half of the offsets between the first and the last message have no message. */
function hasMostlyGaps(messages: readonly { readonly offset: number }[]): boolean {
  const first = messages[0]
  const last = messages.at(-1)
  return first !== undefined && last!.offset - first.offset > messages.length * 2
}

describeWithBrokers('a compacted topic with transactions', ['java', 'kcat'], () => {
  describe.each(VERSIONS)('on Kafka %s', (version) => {
    let kafka: KafkaCluster
    let client: KafkaClient

    beforeAll(async () => {
      kafka = await startKafka({ version, config: { 'log.cleaner.backoff.ms': '200' } })
      client = new KafkaClient({ hosts: kafka.hosts })
    })
    afterAll(async () => {
      await client.close()
      await kafka.stop()
    })

    async function readCommitted() {
      const messages: { offset: number; key: string; round: string }[] = []
      await using consumer = await client.topic(TOPIC).getSimpleConsumer({
        autoOffsetReset: 'earliest',
        isolationLevel: 'read_committed',
        stopAtEnd: true,
      })
      for await (const { offset, key, value } of consumer) {
        messages.push({ offset, key: String(key), round: String(value).split(' ', 1)[0]! })
      }
      return messages
    }

    it('delivers the last committed value of each key, as kcat does', async () => {
      await kafka.createTopic(TOPIC, {
        partitions: 1,
        replicationFactor: 1,
        config: {
          'cleanup.policy': 'compact',
          'segment.bytes': String(1 << 20),
          'min.cleanable.dirty.ratio': '0.01',
          'delete.retention.ms': '0',
        },
      })
      const expected = new Map<string, string>()
      await using producer = await client.getTransactionalProducer({ transactionalId: 'compacted' })
      for (let round = 0; round < ROUNDS; round++) {
        const tx = await producer.begin()
        const keys = Array.from(
          { length: KEYS_PER_ROUND },
          (_, index) => `key-${(round * 7 + index) % KEYS}`,
        )
        const sent = keys.map((key) => tx.produce(TOPIC, { key, value: `${round} ${FILLER}` }))
        await Promise.all(sent)
        if (round % 3 === 1) await tx.abort()
        else {
          await tx.commit()
          for (const key of keys) expected.set(key, String(round))
        }
      }
      // The log cleaner replaces one segment after another: it has cleaned all but the last when half of the
      // offsets between the first and the last message are gaps.
      await until(async () => hasMostlyGaps(await readCommitted()))

      const messages = await readCommitted()
      expect(new Map(messages.map(({ key, round }) => [key, round]))).toEqual(expected)
      const offsets = messages.map(({ offset }) => offset)
      expect(offsets).toEqual([...new Set(offsets)].sort((a, b) => a - b))

      const committed = ['-X', 'isolation.level=read_committed']
      const lines = await kcatRead({ version, hosts: kafka.hosts }, TOPIC, '%k %s\n', committed)
      const kcat = lines.toString().trimEnd().split('\n')
      const rounds = kcat.map((line) => line.split(' ').slice(0, 2) as [string, string])
      expect(new Map(rounds)).toEqual(expected)
    })
  })
})
