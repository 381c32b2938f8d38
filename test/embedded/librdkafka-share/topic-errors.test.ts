/** Which errors of topics a share consumer reports, and how often: librdkafka's share test 0182. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { EmbeddedCluster, Fault } from '../../../src/embedded/index.ts'
import { KafkaClient, type ShareConsumer } from '../../../src/index.ts'
import { explicit, startJobs, stopJobs } from '../../support/share/jobs.ts'
import { nextOf, numberOf, writeNumbers } from '../../support/share/queue.ts'
import { until } from '../../support/until.ts'

const ERRORS = ['INVALID_TOPIC_EXCEPTION', 'TOPIC_AUTHORIZATION_FAILED'] as const
const PARTITIONS = 5
const always = (): boolean => true
// The consumer looks at the metadata whenever a fetch is answered.
const options = { ...explicit, fetchWaitMaxMs: 20 }

describe('a share consumer', () => {
  let kafka: EmbeddedCluster
  let writer: KafkaClient
  let reader: KafkaClient
  let written = 0

  beforeEach(async () => {
    ;({ kafka, client: writer } = await startJobs(PARTITIONS))
    reader = new KafkaClient({ hosts: kafka.hosts, clientId: 'reader', metadataMaxAgeMs: 50 })
  })

  afterEach(async () => {
    kafka.faults.clear()
    await reader.close()
    await stopJobs(kafka, writer)
  })

  const failMetadata = (error: (typeof ERRORS)[number]) =>
    kafka.faults.on({ api: 'Metadata', topic: 'jobs', clientId: 'reader' }, { error })

  const failFetches = (partition?: number) =>
    kafka.faults.on(
      { api: 'ShareFetch', topic: 'jobs', ...(partition === undefined ? {} : { partition }) },
      { error: 'TOPIC_AUTHORIZATION_FAILED' },
    )

  async function write(partition: number): Promise<number> {
    const number = written * PARTITIONS + partition
    written++
    await writeNumbers(writer, 'jobs', 1, { first: number, partitions: PARTITIONS })
    return number
  }

  /** Requests a message, writes one once `isReady`, and accepts it. Fails if an error is reported before it comes. */
  async function readOne(
    consumer: ShareConsumer,
    { isReady = always, partition = 0 } = {},
  ): Promise<void> {
    // Only a consumer with a request for messages uses the metadata, so that the client refreshes it.
    const reading = nextOf(consumer)
    const writing = until(isReady).then(() => write(partition))
    const [message, number] = await Promise.all([reading, writing])
    expect(numberOf(message)).toBe(number)
    message.accept()
  }

  async function expectError(consumer: ShareConsumer, code: string): Promise<void> {
    await expect(nextOf(consumer)).rejects.toMatchObject({ code, topic: 'jobs' })
  }

  /** Returns a condition: this many more requests have met the fault. */
  function afterHits(fault: Fault, more: number): () => boolean {
    const { hits } = fault
    return () => fault.hits >= hits + more
  }

  /** Returns a condition: the reader has received metadata after its fault was removed, and looked at it. */
  function afterMetadata(): () => boolean {
    const count = () =>
      kafka.requests
        .all()
        .filter(({ api, clientId }) => api === 'Metadata' && clientId === 'reader').length
    const before = count()
    // Of two requests that begin from now on, the second begins after the response to the first.
    return () => count() >= before + 2
  }

  it.each(ERRORS)('reports %s in the metadata once, and continues to read', async (error) => {
    const consumer = await reader.getShareConsumer(options)
    await readOne(consumer)
    const fault = failMetadata(error)
    await expectError(consumer, error)
    await readOne(consumer, { isReady: afterHits(fault, 3) })
  })

  it('reports another error in the metadata of the same topic', async () => {
    const consumer = await reader.getShareConsumer(options)
    await readOne(consumer)
    const first = failMetadata('TOPIC_AUTHORIZATION_FAILED')
    await expectError(consumer, 'TOPIC_AUTHORIZATION_FAILED')
    first.remove()
    const second = failMetadata('INVALID_TOPIC_EXCEPTION')
    await expectError(consumer, 'INVALID_TOPIC_EXCEPTION')
    await readOne(consumer, { isReady: afterHits(second, 3) })
  })

  it.each(ERRORS)('reports %s again after the topic was without an error', async (error) => {
    const consumer = await reader.getShareConsumer(options)
    await readOne(consumer)
    failMetadata(error)
    await expectError(consumer, error)
    kafka.faults.clear()
    await readOne(consumer, { isReady: afterMetadata() })
    failMetadata(error)
    await expectError(consumer, error)
  })

  it('reports an error that another consumer of the client has reported before', async () => {
    const consumer = await reader.getShareConsumer(options)
    await readOne(consumer)
    failMetadata('INVALID_TOPIC_EXCEPTION')
    await expectError(consumer, 'INVALID_TOPIC_EXCEPTION')
    await consumer.close()
    const another = await reader.getShareConsumer(options)
    await expectError(another, 'INVALID_TOPIC_EXCEPTION')
  })

  it('reports refused fetches once for all partitions, and again after all were read', async () => {
    const consumer = await reader.getShareConsumer(options)
    await readOne(consumer)
    for (let round = 0; round < 2; round++) {
      const refused = failFetches()
      await expectError(consumer, 'TOPIC_AUTHORIZATION_FAILED')
      const isRepeated = afterHits(refused, 6)
      const isReady = () => {
        if (!isRepeated()) return false
        refused.remove()
        return true
      }
      await readOne(consumer, { isReady })
      // Each partition was fetched without an error.
      for (let partition = 1; partition < PARTITIONS; partition++) {
        await readOne(consumer, { partition })
      }
    }
  })

  it('reports no error again while other partitions of the topic are read', async () => {
    const consumer = await reader.getShareConsumer(options)
    await readOne(consumer)
    const refused = failFetches(1)
    await expectError(consumer, 'TOPIC_AUTHORIZATION_FAILED')
    for (const partition of [0, 2, 3, 4]) {
      await readOne(consumer, { partition, isReady: afterHits(refused, 2) })
    }
  })

  it('does not report the refused fetches of a topic whose error in the metadata it has reported', async () => {
    const consumer = await reader.getShareConsumer(options)
    await readOne(consumer)
    failMetadata('TOPIC_AUTHORIZATION_FAILED')
    await expectError(consumer, 'TOPIC_AUTHORIZATION_FAILED')
    const refused = failFetches(1)
    await readOne(consumer, { isReady: afterHits(refused, 3) })
  })
})
