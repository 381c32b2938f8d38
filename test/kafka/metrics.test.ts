import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { KafkaClient } from '../../src/index.ts'
import { startKafka, type KafkaCluster } from '../support/kafka/cluster.ts'
import { countOf, histogramsOf, valueOf } from '../support/metrics.ts'
import { describeWithBrokers } from '../support/real-brokers.ts'
import { until } from '../support/until.ts'

describeWithBrokers('the metrics of a client', ['java'], () => {
  describe('of Kafka 4.4.0', () => {
    let kafka: KafkaCluster
    beforeAll(async () => {
      kafka = await startKafka({ version: '4.4.0' })
    })
    afterAll(() => kafka.stop())

    it('match what was produced, consumed and committed', async () => {
      await kafka.createTopic('measured', { partitions: 3 })
      const client = new KafkaClient({ hosts: kafka.hosts, clientId: 'measured-app' })
      const producer = await client.topic('measured').getProducer({ compression: 'lz4' })
      for (let i = 0; i < 10_000; i++) {
        if (!producer.hasRoom) await producer.ready()
        void producer.produce(`message ${i}`.padEnd(200, '.'))
      }
      await producer.flush()
      const member = await client.topic('measured').getBalancedConsumer({
        consumerGroup: 'measuring',
        managed: true,
        autoOffsetReset: 'earliest',
        heartbeatIntervalMs: 100,
      })
      let handled = 0
      const run = member.run(() => {
        handled++
      })
      await until(() => handled === 10_000)
      const ofGroup = { client_id: 'measured-app', group: 'measuring' }
      const beats = () =>
        countOf(client.metrics(), 'samsa_consumer_heartbeat_duration_seconds', ofGroup)
      await until(() => beats() > 1)
      expect(client.health()).toMatchObject({ live: true, ready: true, reasons: [] })
      await member.close()
      await run
      await client.close()

      const metrics = client.metrics()
      expect(valueOf(metrics, 'samsa_producer_messages_total')).toBe(10_000)
      expect(valueOf(metrics, 'samsa_producer_compression_ratio')).toBeLessThan(0.5)
      expect(valueOf(metrics, 'samsa_consumer_messages_total', ofGroup)).toBe(10_000)
      expect(valueOf(metrics, 'samsa_consumer_fetched_messages_total', ofGroup)).toBe(10_000)
      expect(countOf(metrics, 'samsa_consumer_handler_duration_seconds', ofGroup)).toBe(10_000)
      expect(countOf(metrics, 'samsa_consumer_commit_duration_seconds', ofGroup)).toBeGreaterThan(0)
      expect(countOf(metrics, 'samsa_consumer_rebalance_duration_seconds')).toBeGreaterThan(0)
      for (const api of ['Produce', 'Fetch', 'OffsetCommit', 'Heartbeat', 'JoinGroup']) {
        const [times] = histogramsOf(metrics, 'samsa_request_duration_seconds', { api })
        expect({ api, isTimed: times !== undefined && times.sum > 0 }).toEqual({
          api,
          isTimed: true,
        })
      }
      expect(valueOf(metrics, 'samsa_connections_open')).toBe(0)
      expect(valueOf(metrics, 'samsa_requests_in_flight')).toBe(0)
    })
  })
})
