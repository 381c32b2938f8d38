import { expect, it } from '@jest/globals'
import { getEventListeners } from 'node:events'
import { EmbeddedCluster } from '../../src/embedded/index.ts'
import { KafkaClient } from '../../src/index.ts'

/** Node warns of a leak (MaxListenersExceededWarning) when there are more. */
const MOST_LISTENERS = 10

it('many members in one process share one signal without a warning about leaking listeners', async () => {
  await using kafka = await EmbeddedCluster.start({ topics: { t: { partitions: 15 } } })
  const controller = new AbortController()
  const { signal } = controller
  await using client = new KafkaClient({ hosts: kafka.hosts })
  const joining = Array.from({ length: 15 }, () =>
    client.topic('t').getBalancedConsumer({ consumerGroup: 'g', managed: true }, { signal }),
  )
  const whileJoining = getEventListeners(signal, 'abort').length
  const members = await Promise.all(joining)
  const reading = members.map(async (member) => {
    for await (const { offset } of member.messages({ signal })) expect(offset).toBe(0)
  })
  const whileReading = getEventListeners(signal, 'abort').length
  controller.abort(new Error('enough'))
  const ended = await Promise.allSettled(reading)
  expect(whileJoining).toBeLessThanOrEqual(MOST_LISTENERS)
  expect(whileReading).toBeLessThanOrEqual(MOST_LISTENERS)
  expect(ended.map(({ status }) => status)).toEqual(ended.map(() => 'rejected'))
})
