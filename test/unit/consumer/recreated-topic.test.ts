import { describe, expect, it } from '@jest/globals'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { Deadline } from '../../../src/async/deadline.ts'
import type { AssignedConsumer } from '../../../src/consumer/assigned-consumer.ts'
import { KafkaOffsets } from '../../../src/consumer/offsets/kafka-offsets.ts'
import type { RetryEvent } from '../../../src/observe/channels.ts'
import { failureOf } from '../../support/settled.ts'
import { takeTexts } from '../../support/take.ts'
import { until } from '../../support/until.ts'
import { Bed } from './support/embedded.ts'

const A0 = { topic: 'a', partition: 0 }
const B0 = { topic: 'b', partition: 0 }
const GROUP = { consumerGroup: 'readers' }

/** With topics a and b, of which a consumer of the group has read three messages each. */
async function reading(bed: Bed): Promise<AssignedConsumer> {
  await bed.write('a', 0, 3)
  await bed.write('b', 0, 3)
  const consumer = bed.consumer(GROUP)
  await consumer.assign([A0, B0])
  await takeTexts(consumer.reader, 6)
  return consumer
}

async function recreate(bed: Bed): Promise<void> {
  bed.kafka.deleteTopic('b')
  bed.kafka.createTopic('b', { partitions: 1 })
  await bed.write('b', 0, 5, 'new ')
}

/** What the next owner of the partition reads first. */
async function firstOfNextOwner(bed: Bed): Promise<string[]> {
  await using next = await Bed.next(bed)
  const consumer = next.consumer(GROUP)
  await consumer.assign([B0])
  return await takeTexts(consumer.reader, 1)
}

const soon = () => new Deadline(5_000)
const topics = { a: { partitions: 1 }, b: { partitions: 1 } }

describe('the position of a topic that was deleted and created again', () => {
  it.each([
    // The versions before 4.1 take offsets by the topic's name.
    ['3.9', 'by fetching', (_: Bed) => Promise.resolve()],
    ['4.4', 'by fetching', (_: Bed) => Promise.resolve()],
    ['3.9', 'by metadata', (bed: Bed) => bed.cluster.refresh('b')],
    ['4.4', 'by metadata', (bed: Bed) => bed.cluster.refresh('b')],
  ] as const)(
    'is not committed on Kafka %s when the change is noticed %s',
    async (version, _, notice) => {
      await using bed = await Bed.start({ version, topics })
      const consumer = await reading(bed)
      await recreate(bed)
      await notice(bed)
      expect(await failureOf(consumer.reader.consume())).toMatchObject({
        name: 'TopicRecreatedError',
      })
      await consumer.commits.commit()
      expect(await consumer.commits.fetch()).toMatchObject([{ ...A0, offset: 3 }])
      expect(await failureOf(consumer.commits.commit([{ ...B0, offset: 2 }]))).toMatchObject({
        name: 'OffsetCommitError',
        failures: [{ name: 'TopicRecreatedError', topic: 'b' }],
      })
      expect(await firstOfNextOwner(bed)).toEqual(['new 0'])
    },
  )

  it('is not committed once metadata has reported the new topic, although the partition is paused', async () => {
    await using bed = await Bed.start({ version: '3.9', topics })
    const consumer = await reading(bed)
    consumer.pause()
    await recreate(bed)
    await bed.cluster.refresh('b')
    await consumer.commits.commit()
    expect(await firstOfNextOwner(bed)).toEqual(['new 0'])
  })

  it('is rejected by brokers that identify topics by id, before the client has noticed', async () => {
    await using bed = await Bed.start({ version: '4.4', topics })
    const { topicId } = await bed.cluster.topic('b', { create: false, deadline: soon() })
    await recreate(bed)
    const options = { maxRetries: 0, backoff: { initialMs: 1, maxMs: 1 } }
    const store = new KafkaOffsets(bed.cluster, 'readers', options)
    const [result] = await store.commit([{ ...B0, offset: 3, topicId }], soon())
    expect(result).toMatchObject({ ...B0, error: { code: 'UNKNOWN_TOPIC_ID', topic: 'b' } })
    expect(await firstOfNextOwner(bed)).toEqual(['new 0'])
  })

  it('is not committed when a broker has denied the topic and it exists again at the next attempt', async () => {
    await using bed = await Bed.start({ version: '3.9', topics })
    const { topicId } = await bed.cluster.topic('b', { create: false, deadline: soon() })
    await recreate(bed)
    bed.kafka.faults.on({ api: 'OffsetCommit', times: 1 }, { error: 'UNKNOWN_TOPIC_OR_PARTITION' })
    const options = { maxRetries: 5, backoff: { initialMs: 1, maxMs: 1 } }
    const store = new KafkaOffsets(bed.cluster, 'readers', options)
    const [result] = await store.commit([{ ...B0, offset: 3, topicId }], soon())
    expect(result).toMatchObject({ ...B0, error: { name: 'TopicRecreatedError', topic: 'b' } })
    expect(await firstOfNextOwner(bed)).toEqual(['new 0'])
  })

  it('is not committed again and again, unchanged, while its fetches fail', async () => {
    await using bed = await Bed.start({ version: '3.9', topics })
    const consumer = await reading(bed)
    await consumer.commits.commit()
    const commitsOf = (topic: string) =>
      bed.kafka.requests
        .all({ api: 'OffsetCommit' })
        .map(({ body }) => body as unknown as { topics: readonly { name: string }[] })
        .filter(({ topics: asked }) => asked.some(({ name }) => name === topic)).length
    expect([commitsOf('a'), commitsOf('b')]).toEqual([1, 1])
    const failed: string[] = []
    const note = (event: unknown) => failed.push((event as RetryEvent).what)
    subscribe('samsa:retry', note)
    const fault = bed.kafka.faults.on(
      { api: 'Fetch', topic: 'b' },
      { error: 'NOT_LEADER_OR_FOLLOWER' },
    )
    await until(() => failed.includes('fetching b-0'))
    unsubscribe('samsa:retry', note)
    await consumer.commits.commit()
    expect([commitsOf('a'), commitsOf('b')]).toEqual([2, 1])
    fault.remove()
    await until(async () => {
      await consumer.commits.commit()
      return commitsOf('b') === 2
    })
  })

  it('is committed again after a seek into the new topic', async () => {
    await using bed = await Bed.start({ topics })
    const consumer = await reading(bed)
    await recreate(bed)
    expect(await failureOf(consumer.reader.consume())).toMatchObject({
      name: 'TopicRecreatedError',
    })
    consumer.positions.seek(B0, 0)
    await takeTexts(consumer.reader, 2)
    await consumer.commits.commit()
    expect(await firstOfNextOwner(bed)).toEqual(['new 2'])
  })
})

it('requests name topics by id in OffsetCommit and OffsetFetch if the brokers have ids', async () => {
  await using bed = await Bed.start({ version: '4.4', topics })
  const consumer = await reading(bed)
  await consumer.commits.commit()
  for (const api of ['OffsetCommit', 'OffsetFetch'] as const) {
    expect(bed.kafka.requests.all({ api }).at(-1)?.version).toBe(10)
  }
  expect(await consumer.commits.fetch()).toMatchObject([{ ...A0, offset: 3 }, { ...B0, offset: 3 }]) // prettier-ignore
})
