/** A test of a service with an embedded cluster, for `node --test` with any runner of TypeScript. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KafkaClient } from 'samsa'
import { EmbeddedCluster } from 'samsa/embedded'

/** The service under test: writes a message for each page view. */
async function recordPageView(client: KafkaClient, page: string): Promise<number> {
  await using producer = await client.topic('page-views').getProducer()
  const { offset } = await producer.produce(page)
  return offset
}

void test('a page view is written once although the first request fails', async () => {
  await using kafka = await EmbeddedCluster.start({ topics: { 'page-views': { partitions: 1 } } })
  await using client = new KafkaClient({ hosts: kafka.hosts })
  const fault = kafka.faults.on({ api: 'Produce', times: 1 }, { error: 'NOT_LEADER_OR_FOLLOWER' })

  assert.equal(await recordPageView(client, '/index.html'), 0)
  assert.equal(fault.hits, 1)
  assert.deepEqual(kafka.offsetsOf('page-views', 0), { start: 0, end: 1 })
})
