/** What users of pykafka's ManagedBalancedConsumer suffered from, and do not here: the numbers are pykafka's issues. */
import { describe, expect, it } from '@jest/globals'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { EmbeddedCluster, type EmbeddedClusterOptions } from '../../src/embedded/index.ts'
import {
  KafkaClient,
  type Assignor,
  type BalancedConsumer,
  type BalancedConsumerOptions,
  type KafkaClientOptions,
} from '../../src/index.ts'
import { TestAuthority } from '../support/certificates.ts'

type Options = Partial<Extract<BalancedConsumerOptions, { readonly managed: true }>>

/** A cluster with topic t, and consumers that are clients of their own. */
class Scene implements AsyncDisposable {
  readonly kafka: EmbeddedCluster
  readonly #clients: KafkaClient[] = []
  readonly #clientOptions: KafkaClientOptions

  private constructor(kafka: EmbeddedCluster, clientOptions: KafkaClientOptions) {
    this.kafka = kafka
    this.#clientOptions = clientOptions
  }

  static async open(
    options: EmbeddedClusterOptions = {},
    client: KafkaClientOptions = {},
  ): Promise<Scene> {
    const topics = { t: { partitions: 2 } }
    const kafka = await EmbeddedCluster.start({ topics, groupMinSessionTimeoutMs: 100, ...options })
    return new Scene(kafka, client)
  }

  client(): KafkaClient {
    const client = new KafkaClient({ hosts: this.kafka.hosts, ...this.#clientOptions })
    this.#clients.push(client)
    return client
  }

  consumer(options: Options = {}, topic = 't'): Promise<BalancedConsumer> {
    return this.client()
      .topic(topic)
      .getBalancedConsumer({
        managed: true,
        consumerGroup: 'g',
        autoOffsetReset: 'earliest',
        autoCommitEnable: true,
        heartbeatIntervalMs: 30,
        ...options,
      })
  }

  /** Writes this many messages, in turn to both partitions. */
  async write(count: number, topic = 't'): Promise<void> {
    await using producer = await this.client().topic(topic).getProducer()
    for (let number = 0; number < count; number++) {
      void producer.produce(`${number}`, { partition: number % 2 })
    }
    await producer.flush()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kafka.faults.clear()
    await Promise.allSettled(this.#clients.map((client) => client.close()))
    await this.kafka.stop()
  }
}

async function take(consumer: BalancedConsumer, count: number): Promise<string[]> {
  const taken: string[] = []
  while (taken.length < count) {
    const { partition, offset } = (await consumer.consume())!
    taken.push(`${partition}:${offset}`)
  }
  return taken
}

describe('a managed balanced consumer', () => {
  it('does not delay a rebalance while it waits in consume() (#701)', async () => {
    await using scene = await Scene.open()
    const one = await scene.consumer()
    const waiting = one.consume()
    const two = await scene.consumer()
    while (one.partitions.length + two.partitions.length < 2) {
      await scene.kafka.requests.next({ api: 'Heartbeat' })
    }
    await scene.write(2)
    expect((await waiting)?.partition).toBe(one.partitions[0])
  })

  it('throws what ended its membership, also in a consume() that is already waiting (#933)', async () => {
    await using scene = await Scene.open()
    const one = await scene.consumer()
    const waiting = one.consume()
    scene.kafka.faults.on({ api: 'Heartbeat' }, { error: 'GROUP_AUTHORIZATION_FAILED' })
    await expect(waiting).rejects.toMatchObject({ code: 'GROUP_AUTHORIZATION_FAILED' })
    await expect(one.consume()).rejects.toMatchObject({ code: 'GROUP_AUTHORIZATION_FAILED' })
  })

  it('throws at its start why it could not be started (#619)', async () => {
    await using scene = await Scene.open()
    scene.kafka.faults.on({ api: 'JoinGroup' }, { error: 'GROUP_MAX_SIZE_REACHED' })
    await expect(scene.consumer()).rejects.toMatchObject({ code: 'GROUP_MAX_SIZE_REACHED' })
  })

  it('waits for an assignor that returns a promise', async () => {
    await using scene = await Scene.open()
    const assign: Assignor['assign'] = async (members, topics) => {
      await nextTurn()
      const all = [...topics].flatMap(([topic, partitions]) =>
        partitions.map(({ partition }) => ({ topic, partition })),
      )
      return new Map([[members[0]!.memberId, all]])
    }
    const one = await scene.consumer({
      assignors: [{ name: 'mine', protocols: ['eager'], assign }],
    })
    expect(one.assignment.length).toBeGreaterThan(0)
  })

  it('throws what an assignor rejects with at the start', async () => {
    await using scene = await Scene.open()
    const assign = () => Promise.reject(new Error('cannot decide'))
    const assignors: Assignor[] = [{ name: 'mine', protocols: ['eager'], assign }]
    await expect(scene.consumer({ assignors })).rejects.toMatchObject({
      name: 'RebalanceError',
      cause: {
        message: /the assignor 'mine' .*cannot decide/,
        cause: { message: 'cannot decide' },
      },
    })
  })

  it('joins again and keeps reading when the group has forgotten it (#855)', async () => {
    await using scene = await Scene.open()
    const one = await scene.consumer({ sessionTimeoutMs: 300 })
    await scene.write(2)
    await take(one, 2)
    await one.commitOffsets()
    const before = one.memberId
    scene.kafka.faults.on({ api: 'Heartbeat', times: 1 }, { error: 'UNKNOWN_MEMBER_ID' })
    await scene.kafka.requests.next({ api: 'JoinGroup' })
    await scene.write(2)
    expect((await take(one, 2)).sort()).toEqual(['0:1', '1:1'])
    expect(one.memberId).not.toBe(before)
  })

  it('survives the stop of the broker that coordinates it (#517)', async () => {
    await using scene = await Scene.open({ brokers: 3 })
    const one = await scene.consumer()
    await scene.write(2)
    await take(one, 2)
    await scene.kafka.stopBroker(scene.kafka.coordinatorOf('g'))
    await scene.write(4)
    expect((await take(one, 4)).sort()).toEqual(['0:1', '0:2', '1:1', '1:2'])
    await one.commitOffsets()
  })

  it('neither loses nor repeats messages as members come and go (#186, #542)', async () => {
    await using scene = await Scene.open()
    const read: string[] = []
    let consumers = [await scene.consumer()]
    const reading: Promise<void>[] = []
    const readAll = async (consumer: BalancedConsumer) => {
      for await (const message of consumer) {
        read.push(`${message.partition}:${message.offset}`)
      }
    }
    const start = (consumer: BalancedConsumer) => {
      reading.push(readAll(consumer).catch(() => undefined))
    }
    start(consumers[0]!)
    for (let round = 0; round < 6; round++) {
      await scene.write(50)
      const next = await scene.consumer()
      start(next)
      if (round % 2 === 1) await consumers[0]!.close()
      consumers = [...consumers.slice(round % 2), next]
    }
    while (new Set(read).size < 300) await scene.kafka.requests.next({ api: 'Fetch' })
    await Promise.all(consumers.map((consumer) => consumer.close()))
    await Promise.all(reading)
    expect(read).toHaveLength(300)
  })

  it('keeps reading the partitions it keeps, without fetching their offsets again', async () => {
    await using scene = await Scene.open()
    const assignors = ['cooperative-sticky'] as const
    const one = await scene.consumer({ assignors })
    await scene.write(2)
    await take(one, 2)
    // What was read is processed.
    expect(await one.consume({ block: false })).toBeUndefined()
    const asked = scene.kafka.requests.all({ api: 'OffsetFetch' }).length
    const two = await scene.consumer({ assignors })
    while (two.partitions.length === 0) await scene.kafka.requests.next({ api: 'Heartbeat' })
    const [kept] = one.partitions
    expect(one.positions.get(kept!)).toBe(1)
    // Two asked for what it got: one did not ask.
    expect(scene.kafka.requests.all({ api: 'OffsetFetch' }).length - asked).toBe(1)
  })

  it('waits when there are more members than partitions, and takes over when another leaves', async () => {
    await using scene = await Scene.open()
    const consumers = [await scene.consumer(), await scene.consumer(), await scene.consumer()]
    const idle = () => consumers.filter(({ partitions }) => partitions.length === 0)
    while (idle().length !== 1) await scene.kafka.requests.next({ api: 'Heartbeat' })
    const [spare] = idle()
    await consumers.find(({ partitions }) => partitions.length > 0)!.close()
    while (spare!.partitions.length === 0) await scene.kafka.requests.next({ api: 'Heartbeat' })
  })

  it('shares no state with consumers of other groups and topics in its process', async () => {
    await using scene = await Scene.open({ topics: { t: { partitions: 2 }, u: { partitions: 2 } } })
    const client = scene.client()
    const options = { managed: true, autoOffsetReset: 'earliest', heartbeatIntervalMs: 30 } as const
    const [one, two, three] = await Promise.all([
      client.topic('t').getBalancedConsumer({ ...options, consumerGroup: 'g' }),
      client.topic('u').getBalancedConsumer({ ...options, consumerGroup: 'g' }),
      client.topic('u').getBalancedConsumer({ ...options, consumerGroup: 'h' }),
    ])
    while ([one, two, three].some(({ partitions }) => partitions.length < 2)) {
      await scene.kafka.requests.next({ api: 'Heartbeat' })
    }
  })

  it('uses TLS on all its connections if the client does', async () => {
    using authority = new TestAuthority()
    const { cert, key } = authority.issue({ commonName: 'broker', hosts: ['127.0.0.1'] })
    await using scene = await Scene.open({ tls: { cert, key } }, { tls: { ca: authority.cert } })
    const one = await scene.consumer()
    await scene.write(2)
    await take(one, 2)
    await one.commitOffsets()
    await scene.kafka.requests.next({ api: 'Heartbeat' })
  })

  it('gets a report when it takes too long to process, and keeps its partitions', async () => {
    await using scene = await Scene.open()
    await scene.write(4)
    const one = await scene.consumer({ maxPollIntervalMs: 1_000 })
    await take(one, 1)
    // Busy with that message, for longer than it may be.
    const busyUntil = performance.now() + 1_200
    while (performance.now() < busyUntil) await scene.kafka.requests.next({ api: 'Heartbeat' })
    // What is available may come first.
    const errors: unknown[] = []
    for (let taken = 0; taken < 3;) {
      await take(one, 1).then(
        () => taken++,
        (error: unknown) => errors.push(error),
      )
    }
    await expect(one.consume({ timeoutMs: 1 })).resolves.toBeUndefined()
    expect(errors).toMatchObject([{ code: 'MAX_POLL_INTERVAL_EXCEEDED' }])
    expect(one.partitions).toEqual([0, 1])
  })
})
