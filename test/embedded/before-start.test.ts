import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { KafkaClient } from '../../src/client.ts'
import { EmbeddedCluster } from '../../src/embedded/index.ts'
import type { SimpleConsumer } from '../../src/index.ts'

let kafka: EmbeddedCluster
let client: KafkaClient
let group: string
let groups = 0

beforeAll(async () => {
  kafka = await EmbeddedCluster.start({ topics: { t: { partitions: 2 }, u: { partitions: 1 } } })
  client = new KafkaClient({ hosts: kafka.hosts })
  await using producer = await client.topic('t').getProducer()
  for (let number = 0; number < 10; number++) {
    void producer.produce(`${number}`, { partition: number % 2 })
  }
  await producer.flush()
})

beforeEach(() => {
  group = `g${groups++}`
})

afterAll(async () => {
  await client.close()
  await kafka.stop()
})

function unstarted(more: object = {}): Promise<SimpleConsumer> {
  return client.topic('t').getSimpleConsumer({ consumerGroup: group, autoStart: false, ...more })
}

async function commit(offsets: ReadonlyMap<number, number>): Promise<void> {
  await using consumer = await client.topic('t').getSimpleConsumer({ consumerGroup: group })
  await consumer.commitOffsets(offsets)
}

describe('a consumer that is not started', () => {
  it('fetches the offsets that its group has committed', async () => {
    await commit(new Map([[1, 3]]))
    await using consumer = await unstarted()
    expect(await consumer.fetchOffsets()).toEqual(new Map([[1, 3]]))
    await using several = await client.getConsumer({
      topics: /^t$/,
      consumerGroup: group,
      autoStart: false,
    })
    expect(await several.fetchOffsets()).toMatchObject([{ topic: 't', partition: 1, offset: 3 }])
  })

  it('resets all its partitions, commits their positions, and starts there', async () => {
    await using consumer = await unstarted()
    await consumer.resetOffsets('latest')
    expect(await consumer.fetchOffsets()).toEqual(
      new Map([
        [0, 5],
        [1, 5],
      ]),
    )
    await consumer.start()
    expect(consumer.positions).toEqual(
      new Map([
        [0, 5],
        [1, 5],
      ]),
    )
  })

  it('resets each partition to its own position, also without a group', async () => {
    await using consumer = await client.topic('t').getSimpleConsumer({ autoStart: false })
    await consumer.resetOffsets(
      new Map<number, number | 'latest'>([
        [0, 2],
        [1, 'latest'],
      ]),
    )
    await consumer.start()
    expect(consumer.positions).toEqual(
      new Map([
        [0, 2],
        [1, 5],
      ]),
    )
  })

  it('starts at the offset that was sought, whatever the group has committed', async () => {
    await commit(
      new Map([
        [0, 1],
        [1, 1],
      ]),
    )
    await using consumer = await unstarted()
    consumer.seek(0, 4)
    await consumer.start()
    expect(consumer.positions).toEqual(
      new Map([
        [0, 4],
        [1, 1],
      ]),
    )
    await using several = await client.getConsumer({ topics: ['t', 'u'], autoStart: false })
    several.seek({ topic: 't', partition: 1 }, 3)
    await several.start()
    expect(several.position({ topic: 't', partition: 1 })).toBe(3)
  })

  it('keeps the sought offset when the start fails and is retried', async () => {
    await using consumer = await unstarted()
    consumer.seek(0, 4)
    const { signal } = new AbortController()
    await expect(
      consumer.start({ timeoutMs: 10_000, signal: AbortSignal.abort() }),
    ).rejects.toThrow()
    await consumer.start({ signal })
    expect(consumer.position(0)).toBe(4)
  })

  it('refuses to start after a seek in a partition that it does not read', async () => {
    await using consumer = await unstarted()
    consumer.seek(7, 4)
    await expect(consumer.start()).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })

  it('commits offsets that are passed to it, and throws when it has none to commit', async () => {
    await using consumer = await unstarted()
    await consumer.commitOffsets(new Map([[0, 2]]))
    expect(await consumer.fetchOffsets()).toEqual(new Map([[0, 2]]))
    await expect(consumer.commitOffsets()).rejects.toMatchObject({ code: 'NOT_STARTED' })
    expect(() => consumer.pause()).toThrow('call start() first')
    expect(() => consumer.resume([0])).toThrow('call start() first')
  })

  it('throws when its group assigns partitions, because the group decides what it reads', async () => {
    await using member = await client
      .topic('t')
      .getBalancedConsumer({ consumerGroup: group, managed: true, autoStart: false })
    const notStarted = { code: 'NOT_STARTED' }
    await expect(member.fetchOffsets()).rejects.toMatchObject(notStarted)
    await expect(member.resetOffsets('latest')).rejects.toMatchObject(notStarted)
    await expect(member.commitOffsets()).rejects.toMatchObject(notStarted)
    expect(() => member.seek(0, 1)).toThrow('call start() first')
    await member.start()
    expect(await member.fetchOffsets()).toEqual(new Map())
  })
})

describe('a consumer that was closed', () => {
  it('throws when it is started again, instead of resolving without reading', async () => {
    const consumer = await client.topic('t').getSimpleConsumer({})
    await consumer.close()
    await expect(consumer.start()).rejects.toMatchObject({ code: 'CLOSED' })
    const several = await client.getConsumer({ topics: ['t'] })
    await several.close()
    await expect(several.start()).rejects.toMatchObject({ code: 'CLOSED' })
  })

  it('stays closed when it is closed during its start', async () => {
    const consumer = await unstarted()
    const starting = consumer.start()
    const refused = expect(starting).rejects.toMatchObject({ code: 'CLOSED' })
    await consumer.close()
    await refused
    await expect(consumer.consume()).rejects.toMatchObject({ code: 'CLOSED' })
  })
})
