import { describe, expect, it } from '@jest/globals'
import { heartbeat, metadata, offsetForLeaderEpoch, produce } from '../../protocol/apis/index.ts'
import { encodeRequest } from '../../protocol/headers.ts'
import { EmbeddedCluster } from '../../src/embedded/index.ts'
import { InvalidArgumentError, KafkaClient } from '../../src/index.ts'
import {
  batchOf,
  fetchFrom,
  produceTo,
  rawClientOf,
  topicOf,
  valuesOf,
} from './support/requests.ts'
import { mayNotFire } from '../support/fault-watch.ts'

const start = (brokers = 1) =>
  EmbeddedCluster.start({ brokers, topics: { t: { partitions: 2 }, other: {} } })

describe('faults', () => {
  describe('an error', () => {
    it('is returned as often as requested, and nothing is stored', async () => {
      await using kafka = await start()
      using raw = await rawClientOf(kafka)
      const fault = kafka.faults.on(
        { api: 'Produce', times: 1 },
        { error: 'NOT_LEADER_OR_FOLLOWER' },
      )
      expect(await produceTo(raw, 't', 0, batchOf(['a']))).toMatchObject({ errorCode: 6 })
      expect(await produceTo(raw, 't', 0, batchOf(['b']))).toMatchObject({ baseOffset: 0n })
      expect(fault.hits).toBe(1)
    })

    it('can be limited to one topic, or one partition of it', async () => {
      await using kafka = await start()
      using raw = await rawClientOf(kafka)
      kafka.faults.on({ api: 'Fetch', topic: 't', partition: 1 }, { error: 'KAFKA_STORAGE_ERROR' })
      const codes = async (topic: string, partitions: number[]) => {
        const { responses } = await fetchFrom(raw, topic, partitions)
        return responses[0]!.partitions.map(({ errorCode }) => errorCode)
      }
      expect(await codes('t', [0, 1])).toEqual([0, 56])
      expect(await codes('other', [0])).toEqual([0])
    })

    it('applies to the topics of a fetch session', async () => {
      await using kafka = await start()
      using raw = await rawClientOf(kafka)
      const { sessionId } = await fetchFrom(raw, 't', [0], { sessionEpoch: 0 })
      kafka.faults.on({ api: 'Fetch', topic: 't' }, { error: 'UNKNOWN_LEADER_EPOCH' })
      const { responses } = await fetchFrom(raw, 't', [], { sessionId, sessionEpoch: 1 })
      expect(responses[0]!.partitions[0]!.errorCode).toBe(75)
    })

    it('is returned by any API', async () => {
      await using kafka = await start()
      using raw = await rawClientOf(kafka)
      kafka.faults.on({}, { error: 'COORDINATOR_LOAD_IN_PROGRESS' })
      const { errorCode } = await raw.request(heartbeat, 4, {
        groupId: 'g',
        generationId: 1,
        memberId: 'm',
      })
      expect(errorCode).toBe(14)
      const { topics } = await raw.request(metadata, 12, { topics: [{ name: 't' }] })
      expect(topics[0]!.errorCode).toBe(14)
    })

    it('is retried by the producer of samsa when a retry may help', async () => {
      await using kafka = await start(2)
      await using client = new KafkaClient({ hosts: kafka.hosts })
      const producer = await client.topic('t').getProducer()
      const fault = kafka.faults.on({ api: 'Produce', times: 2 }, { error: 'NOT_ENOUGH_REPLICAS' })
      expect(await producer.produce('a')).toMatchObject({ offset: 0 })
      expect(fault.hits).toBe(2)
    })
  })

  it('can be limited to one client or one broker', async () => {
    await using kafka = await start(2)
    kafka.faults.on({ api: 'Metadata', clientId: 'unlucky', broker: 2 }, { close: true })
    for (const [broker, clientId] of [
      [1, 'unlucky'],
      [2, 'lucky'],
    ] as const) {
      using raw = await rawClientOf(kafka, broker, clientId)
      expect(await topicOf(raw, 't')).toMatchObject({ errorCode: 0 })
    }
    using unlucky = await rawClientOf(kafka, 2, 'unlucky')
    unlucky.send(metadata, 12, { topics: [] })
    await unlucky.closed
  })

  it('include a delay that blocks later requests of the connection, and no other connection', async () => {
    await using kafka = await start()
    using raw = await rawClientOf(kafka)
    using bystander = await rawClientOf(kafka)
    kafka.faults.on({ api: 'Produce', times: 1 }, { delayMs: 1_000 })
    const startedAt = performance.now()
    const answered: string[] = []
    const late = produceTo(raw, 't', 0, batchOf(['a'])).then(() => answered.push('late'))
    await kafka.requests.next({ api: 'Produce' })
    await topicOf(bystander, 't').then(() => answered.push('bystander'))
    await late
    expect(answered).toEqual(['bystander', 'late'])
    expect(performance.now() - startedAt).toBeGreaterThan(995)
  })

  it('include a hold that lasts until it is released', async () => {
    await using kafka = await start()
    using raw = await rawClientOf(kafka)
    const fault = kafka.faults.on({ api: 'Produce' }, { hold: true })
    const held = produceTo(raw, 't', 0, batchOf(['a']))
    await kafka.requests.next({ api: 'Produce' })
    expect(kafka.offsetsOf('t', 0).end).toBe(0)
    fault.release()
    expect(await held).toMatchObject({ errorCode: 0 })
    expect(await produceTo(raw, 't', 0, batchOf(['b']))).toMatchObject({ baseOffset: 1n })
  })

  it('include a drop that leaves the connection silent, with nothing done', async () => {
    await using kafka = await start()
    using raw = await rawClientOf(kafka)
    kafka.faults.on({ api: 'Produce', times: 1 }, { drop: true })
    raw.send(produce, 9, {
      acks: 1,
      timeoutMs: 1_000,
      topicData: [{ name: 't', partitionData: [{ index: 0, records: batchOf(['a']) }] }],
    })
    raw.send(metadata, 12, { topics: [] })
    const answered = raw.nextFrame().then(
      () => 'answered',
      () => 'closed',
    )
    using later = await rawClientOf(kafka)
    expect(await produceTo(later, 't', 0, batchOf(['b']))).toMatchObject({ baseOffset: 0n })
    await kafka.stop()
    expect(await answered).toBe('closed')
  })

  it('include a cut response, which ends the connection after the work was done', async () => {
    await using kafka = await start()
    using raw = await rawClientOf(kafka)
    kafka.faults.on({ api: 'Produce', times: 1 }, { cutAfterBytes: 7 })
    await expect(produceTo(raw, 't', 0, batchOf(['a']))).rejects.toThrow('closed')
    expect(kafka.offsetsOf('t', 0).end).toBe(1)
  })

  it('include a response that is sent twice for work that was done once', async () => {
    await using kafka = await start()
    using raw = await rawClientOf(kafka)
    kafka.faults.on({ api: 'Produce', times: 1 }, { answerTwice: true })
    await produceTo(raw, 't', 0, batchOf(['a']))
    const again = await raw.nextFrame()
    expect(again.readInt32BE(0)).toBe(1)
    expect(kafka.offsetsOf('t', 0).end).toBe(1)
  })

  it('end when they are removed one by one or all at once', async () => {
    await using kafka = await start()
    using raw = await rawClientOf(kafka)
    mayNotFire(kafka.faults.on({ api: 'Produce' }, { error: 'CORRUPT_MESSAGE' })).remove()
    mayNotFire(kafka.faults.on({ api: 'Produce' }, { close: true }))
    kafka.faults.clear()
    expect(await produceTo(raw, 't', 0, batchOf(['a']))).toMatchObject({ errorCode: 0 })
  })

  it.each([
    [{ error: 'NOPE' }, "Kafka has no error 'NOPE'"],
    [{ error: 'CORRUPT_MESSAGE', drop: true }, 'a fault must have exactly one of'],
    [{ explode: true }, 'a fault must have exactly one of'],
  ])('are rejected if they are invalid: %j', async (action, problem) => {
    await using kafka = await start()
    // @ts-expect-error: callers in plain JavaScript are to be told as well
    const set = () => kafka.faults.on({}, action)
    expect(set).toThrow(InvalidArgumentError)
    expect(set).toThrow(problem)
  })
})

describe('events of an embedded cluster', () => {
  it('move a leader: the old one redirects clients to the new one', async () => {
    await using kafka = await start(2)
    const before = kafka.leaderOf('t', 0)
    const after = before === 1 ? 2 : 1
    kafka.moveLeader('t', 0, after)
    using old = await rawClientOf(kafka, before)
    const { responses, nodeEndpoints } = await old.request(produce, 10, {
      acks: 1,
      timeoutMs: 1_000,
      topicData: [{ name: 't', partitionData: [{ index: 0, records: batchOf(['a']) }] }],
    })
    expect(responses[0]!.partitionResponses[0]).toMatchObject({
      errorCode: 6,
      currentLeader: { leaderId: after, leaderEpoch: 1 },
    })
    expect(nodeEndpoints).toMatchObject([{ nodeId: after, port: kafka.ports[after - 1] }])
    using led = await rawClientOf(kafka, after)
    expect(await produceTo(led, 't', 0, batchOf(['a']))).toMatchObject({ errorCode: 0 })
  })

  it('lose the tail of a log: consumers detect it by the leader epoch (KIP-320)', async () => {
    await using kafka = await start()
    using raw = await rawClientOf(kafka)
    for (const value of ['a', 'b', 'c']) await produceTo(raw, 't', 0, batchOf([value]))
    expect(kafka.loseTail('t', 0, 2)).toBe(2)
    await produceTo(raw, 't', 0, batchOf(['d']))
    const { responses } = await fetchFrom(raw, 't', [0])
    expect(valuesOf(responses[0]!.partitions[0]!.records)).toEqual(['a', 'd'])
    const { topics } = await raw.request(offsetForLeaderEpoch, 4, {
      replicaId: -1,
      topics: [
        { topic: 't', partitions: [{ partition: 0, leaderEpoch: 0, currentLeaderEpoch: 1 }] },
      ],
    })
    expect(topics[0]!.partitions[0]).toMatchObject({ leaderEpoch: 0, endOffset: 1n })
  })

  it('throttle: responses state how long the client has to pause', async () => {
    await using kafka = await start()
    using raw = await rawClientOf(kafka)
    kafka.throttle({ api: 'Fetch', ms: 70 })
    expect(await fetchFrom(raw, 't', [0])).toMatchObject({ throttleTimeMs: 70 })
    expect(await raw.request(metadata, 12, { topics: [] })).toMatchObject({ throttleTimeMs: 0 })
    kafka.throttle({ ms: 0 })
    expect(await fetchFrom(raw, 't', [0])).toMatchObject({ throttleTimeMs: 0 })
  })
})

describe('the log of requests', () => {
  it('has each request with its broker and its client', async () => {
    await using kafka = await start()
    using raw = await rawClientOf(kafka, 1, 'me')
    await fetchFrom(raw, 't', [1], { offset: 0 })
    expect(kafka.requests.all({ api: 'Fetch', clientId: 'me' })).toMatchObject([
      {
        api: 'Fetch',
        version: 12,
        broker: 1,
        clientId: 'me',
        body: { topics: [{ topic: 't', partitions: [{ partition: 1, fetchOffset: 0n }] }] },
      },
    ])
    expect(kafka.requests.all({ clientId: 'someone else' })).toEqual([])
    kafka.requests.clear()
    expect(kafka.requests.all()).toEqual([])
  })

  it('is bounded', async () => {
    await using kafka = await start()
    using raw = await rawClientOf(kafka)
    const frame = Buffer.concat(encodeRequest(metadata, 12, 1, 'x', { topics: [] }))
    for (let sent = 0; sent < 11_000; sent += 1_000) {
      raw.write(Buffer.concat(Array.from({ length: 1_000 }, () => frame)))
      for (let i = 0; i < 1_000; i++) await raw.nextFrame()
    }
    expect(kafka.requests.all()).toHaveLength(10_000)
    expect(kafka.requests.dropped).toBe(1_000)
  })

  it('rejects waits for a request when the cluster stops', async () => {
    const kafka = await start()
    using raw = await rawClientOf(kafka)
    const never = kafka.requests.next({ api: 'DeleteGroups' })
    raw.send(produce, 9, { acks: 1, timeoutMs: 1, topicData: [] })
    await kafka.stop()
    await expect(never).rejects.toMatchObject({ code: 'CLOSED' })
  })
})
