import { hasSubscribers } from 'node:diagnostics_channel'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { EmbeddedCluster } from '../../src/embedded/index.ts'
import { Kafka, logLevel, type Producer } from '../../src/kafkajs/index.ts'
import { until } from '../support/until.ts'

let cluster: EmbeddedCluster
let producer: Producer

beforeEach(async () => {
  cluster = await EmbeddedCluster.start({
    topics: { here: { partitions: 1 } },
    autoCreateTopics: false,
  })
  producer = app().producer({ allowAutoTopicCreation: false })
  await producer.connect()
})

afterEach(async () => {
  cluster.faults.clear()
  await producer.disconnect()
  await cluster.stop()
})

function app(): Kafka {
  return new Kafka({
    brokers: [cluster.hosts],
    logLevel: logLevel.NOTHING,
    retry: { retries: 1, initialRetryTime: 10 },
  })
}

describe('a producer of samsa/kafkajs', () => {
  it('opens no producer for each of many timeouts', async () => {
    const opened = cluster.faults.on({ api: 'InitProducerId' }, { delayMs: 0 })
    const idempotent = app().producer({ idempotent: true })
    try {
      await idempotent.connect()
      for (let timeout = 29_000; timeout > 19_000; timeout -= 500) {
        await idempotent.send({ topic: 'here', timeout, messages: [{ value: '' }] })
      }
      expect(cluster.offsetsOf('here', 0).end).toBe(20)
      // One for the default timeout, which `connect` opens, and one for those up to 32 s.
      expect(opened.hits).toBe(2)
    } finally {
      await idempotent.disconnect()
    }
  })

  it('sends to a topic whose metadata another failed call has dropped while those of a second topic were loaded', async () => {
    await producer.send({ topic: 'here', messages: [{ value: '0' }] })
    const heldMetadata = cluster.faults.on({ api: 'Metadata' }, { hold: true })
    const both = producer.sendBatch({
      topicMessages: [
        { topic: 'here', messages: [{ value: '1' }] },
        { topic: 'there', messages: [{ value: '2' }] },
      ],
    })
    await until(() => heldMetadata.hits > 0)
    const refused = cluster.faults.on({ api: 'Produce' }, { error: 'TOPIC_AUTHORIZATION_FAILED' })
    await expect(
      producer.send({ topic: 'here', messages: [{ value: '3' }] }),
    ).rejects.toMatchObject({ type: 'TOPIC_AUTHORIZATION_FAILED' })
    refused.remove()
    cluster.createTopic('there', { partitions: 1 })
    heldMetadata.remove()
    heldMetadata.release()
    await both
    expect(cluster.offsetsOf('here', 0).end).toBe(2)
    expect(cluster.offsetsOf('there', 0).end).toBe(1)
  })

  it('subscribes to the requests of the process only while its events have listeners', async () => {
    expect(hasSubscribers('samsa:request')).toBe(false)
    const names: string[] = []
    const stop = producer.on(producer.events.REQUEST, ({ payload }) => {
      names.push(payload.apiName)
    })
    expect(hasSubscribers('samsa:request')).toBe(true)
    await producer.send({ topic: 'here', messages: [{ value: '0' }] })
    stop()
    expect(hasSubscribers('samsa:request')).toBe(false)
    expect(names).toContain('Produce')
  })
})
