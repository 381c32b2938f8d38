import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { EmbeddedCluster } from '../../src/embedded/index.ts'
import { KafkaClient, type ShareMessage } from '../../src/index.ts'
import { expectHarmlessRenewals } from '../support/share/disabled-renewals.ts'
import {
  lagOf,
  newQueue,
  nextOf,
  numberOf,
  writeNumbers,
  type Queue,
} from '../support/share/queue.ts'
import { TemporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'

const explicitly = ({ topic, group }: Queue) =>
  ({ topics: [topic], shareGroup: group, acknowledgementMode: 'explicit' }) as const

function described(message: ShareMessage): readonly [number, number] {
  return [numberOf(message), message.deliveryCount]
}

describe('the configs of a share group', () => {
  let kafka: EmbeddedCluster
  let client: KafkaClient

  beforeEach(async () => {
    kafka = await EmbeddedCluster.start()
    client = new KafkaClient({ hosts: kafka.hosts })
  })
  afterEach(async () => {
    await client.close()
    await kafka.stop()
  })

  const configure = ({ group }: Queue, set: Readonly<Record<string, string>>) =>
    client.admin.incrementalAlterConfigs([{ type: 'group', name: group, set }])

  it('limit the deliveries of its messages, also if they change while the group is in use', async () => {
    const queue = await newQueue(client, 1, { 'share.delivery.count.limit': '2' })
    await writeNumbers(client, queue.topic, 2)
    await using jobs = await client.getShareConsumer({ ...explicitly(queue), maxRecords: 1 })
    const deliver = async () => {
      const message = await nextOf(jobs)
      message.release()
      await jobs.flush()
      return described(message)
    }
    const byNumber = (counts: (readonly [number, number])[]) => counts.sort().join(' ')
    expect(byNumber([await deliver(), await deliver()])).toBe('0,1 1,1')
    await configure(queue, { 'share.delivery.count.limit': '3' })
    const later = [await deliver(), await deliver(), await deliver(), await deliver()]
    expect(byNumber(later)).toBe('0,2 0,3 1,2 1,3')
    await until(async () => (await lagOf(client, queue)) === 0)
  })

  it('set the time for which its messages are locked', async () => {
    const queue = await newQueue(client, 1, { 'share.record.lock.duration.ms': '20000' })
    await writeNumbers(client, queue.topic, 1)
    await using jobs = await client.getShareConsumer(explicitly(queue))
    const message = await nextOf(jobs)
    const leftMs = message.lockExpiresAt - Date.now()
    // Kafka's default is 30,000.
    expect(leftMs).toBeLessThanOrEqual(20_000)
    expect(leftMs).toBeGreaterThan(0)
    message.accept()
  })

  it('keep messages of open and aborted transactions from a group that reads committed ones', async () => {
    const queue = await newQueue(client, 1, { 'share.isolation.level': 'read_committed' })
    const other = { ...queue, group: `${queue.group}-of-all` }
    await configure(other, { 'share.auto.offset.reset': 'earliest' })
    await using producer = await client.getTransactionalProducer({ transactionalId: queue.topic })
    for (let number = 0; number < 4; number++) {
      const transaction = await producer.begin()
      await transaction.produce(queue.topic, String(number))
      if (number % 2 === 0) await transaction.commit()
      else await transaction.abort()
    }
    const open = await producer.begin()
    await open.produce(queue.topic, '4')

    await using all = await client.getShareConsumer(explicitly(other))
    const uncommitted: number[] = []
    while (uncommitted.length < 5) uncommitted.push(numberOf(await nextOf(all)))
    expect(uncommitted).toEqual([0, 1, 2, 3, 4])

    await using committed = await client.getShareConsumer({
      topics: [queue.topic],
      shareGroup: queue.group,
    })
    const got: number[] = []
    const running = committed.run((message) => void got.push(numberOf(message)))
    // All but the message of the open transaction.
    await until(async () => (await lagOf(client, queue)) === 1)
    expect(got).toEqual([0, 2])
    await open.commit()
    await until(async () => (await lagOf(client, queue)) === 0)
    expect(got).toEqual([0, 2, 4])
    await committed.close()
    await running
  })

  it('let a group begin with the messages of a duration', async () => {
    const queue = await newQueue(client, 1, { 'share.auto.offset.reset': 'by_duration:PT1H' })
    await using producer = await client.topic(queue.topic).getProducer()
    const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000)
    await producer.produce('0', { timestamp: minutesAgo(90) })
    await producer.produce('1', { timestamp: minutesAgo(30) })
    await producer.flush()
    await using jobs = await client.getShareConsumer(explicitly(queue))
    expect(numberOf(await nextOf(jobs))).toBe(1)
  })

  it('disable renewals, which then neither lose a message nor hold up other acknowledgements', async () => {
    const queue = await newQueue(client, 1, {
      'share.renew.acknowledge.enable': 'false',
      'share.record.lock.duration.ms': '60000',
    })
    await writeNumbers(client, queue.topic, 3)
    await using jobs = await client.getShareConsumer(explicitly(queue))
    await expectHarmlessRenewals(jobs)
    expect(await lagOf(client, queue)).toBe(0)
  })

  it('are listed, described and deleted', async () => {
    const queue = await newQueue(client, 1, { 'share.delivery.count.limit': '2' })
    const resource = { type: 'group', name: queue.group } as const
    const limit = async () => {
      const [found] = await client.admin.describeConfigs([resource])
      return found?.configs.find(({ name }) => name === 'share.delivery.count.limit')?.value
    }
    expect(await limit()).toBe('2')
    await client.admin.incrementalAlterConfigs([
      { ...resource, delete: ['share.delivery.count.limit'] },
    ])
    expect(await limit()).toBe('5')
    const refused = configure(queue, { 'share.delivery.count.limit': '11' })
    await expect(refused).rejects.toThrow(/must be in the range 2 to 10 inclusive/)
  })
})

describe('a share group in a data folder', () => {
  it('continues after a restart with its offsets, delivery counts and configs', async () => {
    using folder = new TemporaryFolder()
    const start = () => EmbeddedCluster.start({ dataDir: folder.path, onWarning: () => undefined })
    let queue: Queue
    {
      await using kafka = await start()
      await using client = new KafkaClient({ hosts: kafka.hosts })
      queue = await newQueue(client, 1, { 'share.delivery.count.limit': '4' })
      await writeNumbers(client, queue.topic, 5)
      await using jobs = await client.getShareConsumer(explicitly(queue))
      const [zero, one, two] = [await nextOf(jobs), await nextOf(jobs), await nextOf(jobs)]
      zero.accept()
      one.release()
      two.reject()
      await jobs.flush()
      const again = await nextOf(jobs)
      expect(described(again)).toEqual([3, 1])
    }
    await using kafka = await start()
    await using client = new KafkaClient({ hosts: kafka.hosts })
    const { configs } = (
      await client.admin.describeConfigs([{ type: 'group', name: queue.group }])
    )[0]!
    const values = new Map(configs.map(({ name, value }) => [name, value]))
    expect(values.get('share.delivery.count.limit')).toBe('4')
    expect(values.get('share.auto.offset.reset')).toBe('earliest')
    // 1, 3 and 4: what was finished is finished.
    await using jobs = await client.getShareConsumer(explicitly(queue))
    const got = [await nextOf(jobs), await nextOf(jobs), await nextOf(jobs)]
    expect(got.map(numberOf).sort()).toEqual([1, 3, 4])
    expect(got.find((message) => numberOf(message) === 1)?.deliveryCount).toBe(2)
    for (const message of got) message.accept()
    await jobs.flush()
    expect(await lagOf(client, queue)).toBe(0)
  })

  it('is forgotten with its topic, and when it is deleted', async () => {
    using folder = new TemporaryFolder()
    const start = () => EmbeddedCluster.start({ dataDir: folder.path, onWarning: () => undefined })
    let first: Queue
    let second: Queue
    {
      await using kafka = await start()
      await using client = new KafkaClient({ hosts: kafka.hosts })
      first = await newQueue(client)
      second = await newQueue(client)
      for (const queue of [first, second]) {
        await writeNumbers(client, queue.topic, 2)
        await using jobs = await client.getShareConsumer(explicitly(queue))
        ;(await nextOf(jobs)).accept()
        await jobs.flush()
      }
      await client.admin.deleteTopics([first.topic])
      // The running cluster forgets it too, and records that.
      expect(readFileSync(join(folder.path, 'journal'), 'utf8')).toContain('"shareDeleted"')
      await client.admin.deleteGroups([second.group])
    }
    await using kafka = await start()
    await using client = new KafkaClient({ hosts: kafka.hosts })
    await client.admin.createTopics([{ topic: first.topic, partitions: 1 }])
    for (const { group } of [first, second]) {
      expect((await client.admin.listShareGroupOffsets([group]))[0]?.offsets).toEqual([])
    }
  })
})
