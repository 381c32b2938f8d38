/** The spout and the bolt for Kafka, against embedded brokers. */
import { describe, expect, it } from '@jest/globals'
import { EmbeddedCluster } from '../../src/embedded/index.ts'
import { KafkaClient } from '../../src/index.ts'
import {
  KafkaBolt,
  KafkaSpout,
  testBolt,
  testSpout,
  type EmittedTuple,
  type HarnessOptions,
  type KafkaSpoutOptions,
  type Sent,
  type TestedSpout,
} from '../../src/storm/index.ts'
import { until } from '../support/until.ts'

type Options = Partial<KafkaSpoutOptions>

class Scene implements AsyncDisposable {
  readonly kafka: EmbeddedCluster
  readonly client: KafkaClient
  readonly #spouts: TestedSpout<KafkaSpout>[] = []

  private constructor(kafka: EmbeddedCluster) {
    this.kafka = kafka
    this.client = new KafkaClient({ hosts: kafka.hosts })
  }

  static async open(messages: number): Promise<Scene> {
    const topics = { in: { partitions: 2 }, out: { partitions: 1 }, dead: { partitions: 1 } }
    const scene = new Scene(await EmbeddedCluster.start({ topics }))
    await scene.write(messages)
    return scene
  }

  /** Message n goes to partition n % 2. */
  async write(count: number): Promise<void> {
    await using producer = await this.client.topic('in').getProducer()
    for (let n = 0; n < count; n++) void producer.produce(`${n}`, { key: 'k', partition: n % 2 })
    await producer.flush()
  }

  async spout(
    options: Options = {},
    harness: HarnessOptions = {},
  ): Promise<TestedSpout<KafkaSpout>> {
    const { hosts } = this.kafka
    const spout = new KafkaSpout({
      client: { hosts },
      topic: 'in',
      consumerGroup: 'g',
      // Tests commit by deactivating.
      commitIntervalMs: 1_000_000,
      retryBackoffMs: 0,
      ...options,
    })
    const tested = await testSpout(spout, { time: 'real', ...harness })
    this.#spouts.push(tested)
    return tested
  }

  async committed(): Promise<Record<number, number>> {
    const [group] = await this.client.admin.listGroupOffsets(['g'])
    return Object.fromEntries(
      group!.offsets.flatMap((one) =>
        one.offset === undefined ? [] : [[one.partition, one.offset]],
      ),
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const spout of this.#spouts) await spout.close()
    await this.client.close()
    await this.kafka.stop()
  }
}

/** Asks for tuples until there are as many. */
async function emittedBy(spout: TestedSpout<KafkaSpout>, count: number): Promise<EmittedTuple[]> {
  const all: EmittedTuple[] = []
  while (all.length < count) all.push(...(await spout.next()).emitted)
  return all
}

const numbers = (tuples: readonly EmittedTuple[]): number[] =>
  tuples.map(({ values }) => Number(values[1])).sort((a, b) => a - b)
const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n)

describe('a KafkaSpout', () => {
  it.each(['group', 'task'] as const)(
    'emits each message once, and commits acked messages, by %s',
    async (assignment) => {
      await using scene = await Scene.open(10)
      const spout = await scene.spout({ assignment })
      const tuples = await emittedBy(spout, 10)
      expect(numbers(tuples)).toEqual(upTo(10))
      expect(tuples[0]!.values).toEqual([
        'k',
        expect.any(String),
        expect.any(Number),
        expect.any(Number),
        expect.any(Number),
      ])
      for (const { id } of tuples) await spout.ack(id!)
      await spout.deactivate()
      expect(await scene.committed()).toEqual({ 0: 5, 1: 5 })
      expect((await spout.next()).emitted).toEqual([])
      expect(spout.component.lag).toBe(0)
    },
  )

  it('commits only up to the lowest unacked offset, and continues there after a restart', async () => {
    await using scene = await Scene.open(10)
    const first = await scene.spout()
    const tuples = await emittedBy(first, 10)
    // Offset 2 of partition 0 stays out, and all of partition 1 but the first.
    for (const { id } of tuples) if (/^0-[^2]|^1-0/.test(String(id))) await first.ack(id!)
    await first.deactivate()
    expect(await scene.committed()).toEqual({ 0: 2, 1: 1 })
    await first.close()
    const second = await scene.spout()
    expect(numbers(await emittedBy(second, 7))).toEqual([3, 4, 5, 6, 7, 8, 9])
  })

  it('commits at intervals and when it is closed', async () => {
    await using scene = await Scene.open(4)
    const spout = await scene.spout({ commitIntervalMs: 20 })
    const tuples = await emittedBy(spout, 4)
    await spout.ack('0-0')
    while ((await scene.committed())[0] !== 1) await spout.next()
    for (const { id } of tuples) if (id !== '0-0') await spout.ack(id!)
    await spout.close()
    expect(await scene.committed()).toEqual({ 0: 2, 1: 2 })
  })

  it('has no more messages in the topology than topology.max.spout.pending', async () => {
    await using scene = await Scene.open(10)
    const spout = await scene.spout({}, { conf: { 'topology.max.spout.pending': 3 } })
    const tuples = await emittedBy(spout, 3)
    expect(tuples).toHaveLength(3)
    expect((await spout.next()).emitted).toEqual([])
    await spout.ack(tuples[0]!.id!)
    expect(await emittedBy(spout, 1)).toHaveLength(1)
  })

  it('emits a failed message again, and sends it to the dead letters after maxFails', async () => {
    await using scene = await Scene.open(1)
    const spout = await scene.spout({ deadLetterTopic: 'dead', maxFails: 2 })
    for (let attempt = 0; attempt < 3; attempt++) {
      expect(await emittedBy(spout, 1)).toMatchObject([{ id: '0-0' }])
      await spout.deactivate()
      expect((await scene.committed())[0] ?? 0).toBe(0)
      await spout.fail('0-0')
    }
    await spout.deactivate()
    expect(await scene.committed()).toEqual({ 0: 1 })
    const letters = await scene.client.topic('dead').getSimpleConsumer({ stopAtEnd: true })
    const letter = await letters.consume()
    expect(letter!.value!.toString()).toBe('0')
    expect(letter!.headers.map(({ key, value }) => [key, value?.toString()])).toEqual([
      ['dead-letter-topic', 'in'],
      ['dead-letter-partition', '0'],
      ['dead-letter-offset', '0'],
      ['dead-letter-attempts', '3'],
    ])
    await letters.close()
  })

  it('emits a failed message again after a delay that doubles', async () => {
    await using scene = await Scene.open(1)
    const spout = await scene.spout({ retryBackoffMs: 100, idleWaitMs: 0 }, { time: 'fake' })
    /** What it emits when Storm asks for tuples at this time. */
    const emittedAt = async (ms: number): Promise<readonly EmittedTuple[]> => {
      spout.clock.advance(ms - spout.clock.now())
      const asked = spout.next()
      // It waits for new messages until the clock moves.
      spout.clock.advance(0)
      return (await asked).emitted
    }
    let first: readonly EmittedTuple[] = []
    await until(async () => (first = await emittedAt(0)).length === 1)
    expect(first).toMatchObject([{ id: '0-0' }])
    await spout.fail('0-0')
    expect(await emittedAt(99)).toEqual([])
    expect(await emittedAt(100)).toMatchObject([{ id: '0-0' }])
    await spout.fail('0-0')
    expect(await emittedAt(299)).toEqual([])
    expect(await emittedAt(300)).toMatchObject([{ id: '0-0' }])
  })

  it('drops a message that fails too often when there is no dead letter topic, and logs it', async () => {
    await using scene = await Scene.open(1)
    const spout = await scene.spout({ maxFails: 1 })
    for (let attempt = 0; attempt < 2; attempt++) {
      expect(await emittedBy(spout, 1)).toMatchObject([{ id: '0-0' }])
      await spout.fail('0-0')
    }
    expect(spout.sent.logs.at(-1)!.message).toBe(
      'Dropping the message in-0 at 0: it has failed 2 times',
    )
    expect((await spout.next()).emitted).toEqual([])
    await spout.deactivate()
    expect(await scene.committed()).toEqual({ 0: 1 })
  })

  it('emits a failed message without limit when there are no dead letters', async () => {
    await using scene = await Scene.open(1)
    const spout = await scene.spout()
    for (let attempt = 0; attempt < 10; attempt++) {
      expect(await emittedBy(spout, 1)).toMatchObject([{ id: '0-0' }])
      await spout.fail('0-0')
    }
  })

  it('assigns partitions by the index among the tasks', async () => {
    await using scene = await Scene.open(10)
    const context = (taskid: number) => ({
      taskid,
      'task->component': { 4: 'in', 5: 'other', 9: 'in' },
    })
    const harness = (taskid: number) => ({ componentName: 'in', context: context(taskid) })
    const first = await scene.spout({ assignment: 'task' }, harness(4))
    const second = await scene.spout({ assignment: 'task' }, harness(9))
    expect(numbers(await emittedBy(first, 5))).toEqual([0, 2, 4, 6, 8])
    expect(numbers(await emittedBy(second, 5))).toEqual([1, 3, 5, 7, 9])
  })

  it('releases partitions to another member, which continues after the acked messages', async () => {
    await using scene = await Scene.open(10)
    const first = await scene.spout()
    const tuples = await emittedBy(first, 10)
    for (const { id } of tuples) if (!String(id).endsWith('-4')) await first.ack(id!)
    const second = await scene.spout()
    // One partition moves, with its last message: neither acked nor committed.
    const [moved] = await emittedBy(second, 1)
    expect(moved!.id).toMatch(/^[01]-4$/)
    await first.ack(moved!.id!)
    expect(first.component.pending).toBe(1)
  })

  it('reports the lag to a metric that the workers know', async () => {
    await using scene = await Scene.open(10)
    const spout = await scene.spout({ lagMetric: 'lag', lagIntervalMs: 10, maxPending: 1 })
    await emittedBy(spout, 1)
    const isRight = ({ metrics }: Sent) =>
      metrics.some(({ name, value }) => name === 'lag' && value === 10)
    await until(() => isRight(spout.sent))
  })
})

describe('a KafkaBolt', () => {
  const options = ({ kafka }: Scene) => ({ client: { hosts: kafka.hosts }, topic: 'out' })

  it('acks a tuple when its message is delivered', async () => {
    await using scene = await Scene.open(0)
    const bolt = await testBolt(new KafkaBolt(options(scene)), { time: 'real' })
    bolt.feed({ key: 'k', value: 'text' })
    bolt.feed({ key: null, value: { a: 1 } })
    await until(() => bolt.sent.acked.length === 2)
    const consumer = await scene.client.topic('out').getSimpleConsumer({ stopAtEnd: true })
    const values: (string | undefined)[] = []
    for await (const { value } of consumer) values.push(value?.toString())
    expect(values).toEqual(['text', '{"a":1}'])
    await consumer.close()
    await bolt.close()
  })

  it('fails a tuple whose message cannot be delivered, reports the reason, and continues', async () => {
    await using scene = await Scene.open(0)
    const bolt = await testBolt(
      new KafkaBolt({ ...options(scene), producer: { maxRequestSize: 1_000 } }),
      { time: 'real' },
    )
    bolt.feed({ key: null, value: 'x'.repeat(10_000) })
    bolt.feed({ key: null, value: 'x' })
    await until(() => bolt.sent.acked.length === 1)
    expect(bolt.sent).toMatchObject({ acked: ['2'], failed: ['1'] })
    expect(bolt.sent.errors[0]).toContain('MessageTooLargeError')
    await bolt.close()
  })
})
