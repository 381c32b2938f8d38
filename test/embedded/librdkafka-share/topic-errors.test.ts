/** Which errors of topics a share consumer reports, and how often: librdkafka's share test 0182. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { EmbeddedCluster } from '../../../src/embedded/index.ts'
import { KafkaClient, type ShareConsumer } from '../../../src/index.ts'
import { explicit, startJobs, stopJobs } from '../../support/share/jobs.ts'
import { nextOf, numberOf, writeNumbers } from '../../support/share/queue.ts'
import { until } from '../../support/until.ts'

const ERRORS = ['INVALID_TOPIC_EXCEPTION', 'TOPIC_AUTHORIZATION_FAILED'] as const
// The consumer looks at the metadata whenever a fetch is answered.
const options = { ...explicit, fetchWaitMaxMs: 20 }

describe('a share consumer', () => {
  let kafka: EmbeddedCluster
  let writer: KafkaClient
  let reader: KafkaClient

  beforeEach(async () => {
    ;({ kafka, client: writer } = await startJobs(2))
    reader = new KafkaClient({ hosts: kafka.hosts, clientId: 'reader', metadataMaxAgeMs: 50 })
  })

  afterEach(async () => {
    kafka.faults.clear()
    await reader.close()
    await stopJobs(kafka, writer)
  })

  const failMetadata = (error: (typeof ERRORS)[number]) =>
    kafka.faults.on({ api: 'Metadata', topic: 'jobs', clientId: 'reader' }, { error })

  let next = 0
  /** Reads one more message, without an error in between. */
  async function readOne(consumer: ShareConsumer): Promise<void> {
    const number = next++
    await writeNumbers(writer, 'jobs', 1, { first: number })
    const message = await nextOf(consumer)
    expect(numberOf(message)).toBe(number)
    message.accept()
  }

  async function expectError(consumer: ShareConsumer, code: string): Promise<void> {
    await expect(nextOf(consumer)).rejects.toMatchObject({ code, topic: 'jobs' })
  }

  it.each(ERRORS)('reports %s in the metadata once, and reads on', async (error) => {
    const consumer = await reader.getShareConsumer(options)
    await readOne(consumer)
    const fault = failMetadata(error)
    await expectError(consumer, error)
    const { hits } = fault
    await until(() => fault.hits >= hits + 3)
    await readOne(consumer)
  })

  it('reports another error of the same topic', async () => {
    const consumer = await reader.getShareConsumer(options)
    await readOne(consumer)
    const first = failMetadata('TOPIC_AUTHORIZATION_FAILED')
    await expectError(consumer, 'TOPIC_AUTHORIZATION_FAILED')
    first.remove()
    failMetadata('INVALID_TOPIC_EXCEPTION')
    await expectError(consumer, 'INVALID_TOPIC_EXCEPTION')
  })

  it.each(ERRORS)('reports %s again after the topic was without an error', async (error) => {
    const consumer = await reader.getShareConsumer(options)
    await readOne(consumer)
    failMetadata(error)
    await expectError(consumer, error)
    kafka.faults.clear()
    // Of two refreshes that begin from now on, the second has seen the response of the first.
    await kafka.requests.next({ api: 'Metadata', clientId: 'reader' })
    await kafka.requests.next({ api: 'Metadata', clientId: 'reader' })
    await readOne(consumer)
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

  it('reports one error for all partitions whose fetches are refused, and again after they were read', async () => {
    const consumer = await reader.getShareConsumer(options)
    await readOne(consumer)
    for (let round = 0; round < 2; round++) {
      const refused = kafka.faults.on(
        { api: 'ShareFetch', topic: 'jobs' },
        { error: 'TOPIC_AUTHORIZATION_FAILED' },
      )
      await expectError(consumer, 'TOPIC_AUTHORIZATION_FAILED')
      const reading = consumer.consume()
      await until(() => refused.hits >= 4)
      refused.remove()
      const number = next++
      await writeNumbers(writer, 'jobs', 1, { first: number })
      const message = await reading
      expect(numberOf(message!)).toBe(number)
      message!.accept()
    }
  })
})
