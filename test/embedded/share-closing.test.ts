/** What share consumers leave behind when they are closed, as librdkafka's test 0179 checks it. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { EmbeddedCluster } from '../../src/embedded/index.ts'
import type { KafkaClient } from '../../src/index.ts'
import { explicit, jobsQueue, options, startJobs, stopJobs } from '../support/share/jobs.ts'
import { lagOf, numberOf, take, writeNumbers } from '../support/share/queue.ts'

const queue = jobsQueue(1)

describe('a share consumer', () => {
  let kafka: EmbeddedCluster
  let client: KafkaClient

  beforeEach(async () => {
    ;({ kafka, client } = await startJobs(1))
  })

  afterEach(() => stopJobs(kafka, client))

  /** The numbers and delivery counts of what is left, for another member. */
  async function left(count: number): Promise<readonly (readonly [number, number])[]> {
    await using next = await client.getShareConsumer(explicit)
    const messages = await take(next, count)
    for (const message of messages) message.accept()
    await next.flush()
    expect(await lagOf(client, queue)).toBe(0)
    return messages
      .map((message) => [numberOf(message), message.deliveryCount] as const)
      .sort(([a], [b]) => a - b)
  }

  it('sends its acknowledgements when it is closed, and releases the messages without one', async () => {
    await writeNumbers(client, 'jobs', 6)
    const consumer = await client.getShareConsumer(explicit)
    const messages = await take(consumer, 6)
    for (const message of messages.slice(0, 3)) message.accept()
    await consumer.close()
    expect(await left(3)).toEqual([
      [3, 2],
      [4, 2],
      [5, 2],
    ])
  })

  it('releases the message in process and those that wait when it is closed in implicit mode', async () => {
    await writeNumbers(client, 'jobs', 3)
    const consumer = await client.getShareConsumer(options)
    // The request for the second message accepts the first.
    await take(consumer, 2)
    await consumer.close()
    expect(await left(2)).toEqual([
      [1, 2],
      [2, 2],
    ])
  })

  it('is closed while the group changes', async () => {
    await writeNumbers(client, 'jobs', 1)
    const first = await client.getShareConsumer(explicit)
    await take(first, 1)
    const joining = client.getShareConsumer(explicit)
    await first.close()
    const second = await joining
    const [message] = await take(second, 1)
    expect(message!.deliveryCount).toBe(2)
    message!.accept()
    await second.close()
    expect(await lagOf(client, queue)).toBe(0)
  })

  it('is closed after its leader has moved, and the next leader delivers its messages again', async () => {
    await writeNumbers(client, 'jobs', 2)
    const consumer = await client.getShareConsumer(explicit)
    const [message] = await take(consumer, 2)
    kafka.moveLeader('jobs', 0, kafka.leaderOf('jobs', 0) === 1 ? 2 : 1)
    message!.accept()
    await consumer.close()
    const numbers = (await left(2)).map(([number]) => number)
    expect(numbers).toEqual([0, 1])
  })

  it('is closed after an error that ended it', async () => {
    await writeNumbers(client, 'jobs', 1)
    const consumer = await client.getShareConsumer(explicit)
    await take(consumer, 1)
    const failed = consumer.consume()
    kafka.faults.on({ api: 'ShareGroupHeartbeat' }, { error: 'GROUP_AUTHORIZATION_FAILED' })
    await expect(failed).rejects.toThrow(/GROUP_AUTHORIZATION_FAILED/)
    kafka.faults.clear()
    await consumer.close()
    expect(await left(1)).toEqual([[0, 2]])
  })
})
