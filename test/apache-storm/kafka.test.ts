import { expect, it } from '@jest/globals'
import { EmbeddedCluster } from '../../src/embedded/index.ts'
import { KafkaClient } from '../../src/index.ts'
import { describeWithStorm } from '../support/storm/describe-with-storm.ts'
import { LocalStorm } from '../support/storm/local-storm.ts'
import { PATIENCE_MS } from '../support/patience.ts'

/** `SAMSA_STORM_MESSAGES=1000000` is the long form. */
const MESSAGES = Number(process.env['SAMSA_STORM_MESSAGES'] ?? 20_000)
const PARTITIONS = 4

describeWithStorm('a topology that reads from Kafka and writes to it, on Apache Storm', () => {
  it('delivers each message exactly once when no process is killed, and commits all of them', async () => {
    const topics = { in: { partitions: PARTITIONS }, out: { partitions: 1 } }
    const kafka = await EmbeddedCluster.start({ topics })
    try {
      await using client = new KafkaClient({ hosts: kafka.hosts })
      await using producer = await client.topic('in').getProducer()
      for (let n = 0; n < MESSAGES; n++) {
        void producer.produce(`${n}`, { key: `${n}`, partition: n % PARTITIONS })
        if (!producer.hasRoom) await producer.ready()
      }
      await producer.flush()
      const counts = new Uint8Array(MESSAGES)
      let delivered = 0
      await using consumer = await client.topic('out').getSimpleConsumer()
      await using storm = await LocalStorm.start({
        file: 'test/apache-storm/topologies/kafka.ts',
        config: { 'test.hosts': kafka.hosts },
      })
      const reading = consumer.run(({ value }) => {
        const [, n] = /^parsed (\d+) marked$/.exec(value!.toString())!
        counts[Number(n)]! += 1
        delivered += 1
      })
      await storm.until(() => delivered >= MESSAGES, 'all are delivered', PATIENCE_MS)
      const committed = async (): Promise<number> => {
        const [group] = await client.admin.listGroupOffsets(['g'])
        return group!.offsets.reduce((sum, { offset }) => sum + (offset ?? 0), 0)
      }
      while ((await committed()) < MESSAGES) await new Promise((done) => setTimeout(done, 100))
      await consumer.close()
      await reading
      expect(delivered).toBe(MESSAGES)
      expect(counts.every((count) => count === 1)).toBe(true)
    } finally {
      await kafka.stop()
    }
  })
})
