import { expect, it } from '@jest/globals'
import { KafkaClient } from '../../../src/index.ts'
import { QUICK } from '../../support/fake-cluster.ts'
import { ProducerBench, TOPIC } from './support/embedded.ts'

/** Longer than any of the waits that end early. */
const DELIVERY_TIMEOUT_MS = 60_000
const LONG_BACKOFF_MS = 600_000

it('a producer retries as soon as metadata names a newer leader, however long the backoff', async () => {
  await using bench = await ProducerBench.start({
    brokers: 2,
    topics: { [TOPIC]: { partitions: 3 } },
  })
  for (const partition of [0, 1, 2]) bench.kafka.moveLeader(TOPIC, partition, 1)
  await using client = new KafkaClient({
    ...QUICK,
    hosts: bench.kafka.hosts,
    retryBackoffMs: LONG_BACKOFF_MS,
    retryBackoffMaxMs: LONG_BACKOFF_MS,
  })
  const producer = await client.topic(TOPIC).getProducer({ deliveryTimeoutMs: DELIVERY_TIMEOUT_MS })
  for (const partition of [0, 1, 2]) await producer.produce('before', { partition })
  for (const partition of [0, 1, 2]) bench.kafka.moveLeader(TOPIC, partition, 2)
  // Each is refused by the former leader, of all partitions in one response.
  await Promise.all([0, 1, 2].map((partition) => producer.produce('after', { partition })))
  for (const partition of [0, 1, 2]) {
    expect(await bench.values(partition)).toEqual(['before', 'after'])
  }
})
