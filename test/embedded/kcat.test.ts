import { describe, expect, it } from '@jest/globals'
import { EmbeddedCluster } from '../../src/embedded/index.ts'
import { KafkaClient } from '../../src/index.ts'
import { kcatRead, kcatWrite } from '../support/kcat.ts'
import { describeWithBrokers } from '../support/real-brokers.ts'

describeWithBrokers('kcat with an embedded cluster', ['kcat'], () => {
  describe.each(['0.8.2', '0.9', '0.10', '0.11', '1.1', '2.8', '3.9', '4.4'] as const)(
    'that presents Kafka %s',
    (version) => {
      it('reads what kcat wrote, and what samsa wrote', async () => {
        await using kafka = await EmbeddedCluster.start({ version, topics: { t: {} } })
        const place = { version, hosts: kafka.hosts }
        await kcatWrite(place, 't', 'one\ntwo\n', ['-z', 'gzip'])
        await using client = new KafkaClient({ hosts: kafka.hosts })
        const producer = await client.topic('t').getProducer()
        await producer.produce('three')
        expect(String(await kcatRead(place, 't'))).toBe('one\ntwo\nthree\n')
      })

      it('writes what samsa reads', async () => {
        await using kafka = await EmbeddedCluster.start({ version, topics: { t: {} } })
        await kcatWrite({ version, hosts: kafka.hosts }, 't', 'one\ntwo\n')
        await using client = new KafkaClient({ hosts: kafka.hosts })
        const consumer = await client
          .topic('t')
          .getSimpleConsumer({ autoOffsetReset: 'earliest', stopAtEnd: true })
        const values: string[] = []
        for await (const { value } of consumer) values.push(String(value))
        expect(values).toEqual(['one', 'two'])
      })
    },
  )
})
