/** What members of a group are processing: never committed, and not another member's before its time. */
import { describe, expect, it } from '@jest/globals'
import { deferred } from '../../src/async/deferred.ts'
import { joinGroup } from '../../protocol/apis/join-group.ts'
import { EmbeddedCluster, EmbeddedZooKeeper } from '../../src/embedded/index.ts'
import {
  KafkaClient,
  type BalancedConsumer,
  type Assignor,
  type BalancedConsumerOptions,
  type KafkaClientOptions,
  type TopicPartition,
} from '../../src/index.ts'
import { QUICK } from '../support/fake-cluster.ts'
import { requestOnce } from '../support/request-once.ts'
import { failureOf, settled } from '../support/settled.ts'
import { until } from '../support/until.ts'

const GROUPS = ['managed, eager', 'managed, cooperative', 'by ZooKeeper'] as const
type Group = (typeof GROUPS)[number]

/** Longer than a test may take: what waits for this long fails its test. */
const ENDLESS_MS = 3_600_000
const ENDLESS = { rebalanceTimeoutMs: ENDLESS_MS }

class Scene implements AsyncDisposable {
  readonly kafka: EmbeddedCluster
  /** The member that gives up what it has as soon as there is another. */
  leaving = ''
  /** The member that keeps what it has as long as it is there. */
  keeping = ''
  readonly #zookeeper: EmbeddedZooKeeper
  readonly #clients: KafkaClient[] = []
  readonly #group: Group

  private constructor(kafka: EmbeddedCluster, zookeeper: EmbeddedZooKeeper, group: Group) {
    this.kafka = kafka
    this.#zookeeper = zookeeper
    this.#group = group
  }

  static async open(group: Group = 'managed, eager'): Promise<Scene> {
    const topics = { t: { partitions: 2 } }
    const kafka = await EmbeddedCluster.start({ topics, groupMinSessionTimeoutMs: 100 })
    return new Scene(kafka, await EmbeddedZooKeeper.start({ minSessionTimeoutMs: 300 }), group)
  }

  client(options: KafkaClientOptions = {}): KafkaClient {
    const client = new KafkaClient({ ...QUICK, hosts: this.kafka.hosts, ...options })
    this.#clients.push(client)
    return client
  }

  options(): BalancedConsumerOptions {
    const both = { consumerGroup: 'g', fetchWaitMaxMs: 20, autoCommitIntervalMs: 600_000 }
    if (this.#group === 'by ZooKeeper') {
      return {
        ...both,
        zookeeperHosts: this.#zookeeper.hosts,
        membershipProtocol: (partitions, members, member) =>
          members.length === 1 || member !== this.leaving ? partitions : [],
        rebalanceBackoffMs: 100,
        // A member that waits for messages that another is processing must not stop trying.
        rebalanceMaxRetries: 1_000,
      }
    }
    return { ...both, managed: true, heartbeatIntervalMs: 30, assignors: [this.#assignor()] }
  }

  /** Gives all to another member than the one that is to give up what it has. */
  #assignor(): Assignor {
    const isEager = this.#group === 'managed, eager'
    return {
      name: 'other',
      protocols: [isEager ? 'eager' : 'cooperative'],
      assign: (members, topics) => {
        const kept = members.find(({ memberId }) => memberId === this.keeping)
        const next = kept ?? members.find((one) => one.memberId !== this.leaving) ?? members[0]!
        const owned = members
          .filter((one) => one !== next)
          .flatMap((one) => one.ownedPartitions.map(({ partition }) => partition))
        const all = [...topics].flatMap(([topic, partitions]) =>
          partitions.map(({ partition }) => ({ topic, partition })),
        )
        const free = all.filter(({ partition }) => isEager || !owned.includes(partition))
        return new Map(members.map((one) => [one.memberId, one === next ? free : []]))
      },
    }
  }

  member(more: Partial<BalancedConsumerOptions> = {}, client = this.client()) {
    return client.topic('t').getBalancedConsumer({ ...this.options(), ...more })
  }

  /** Writes this many messages to each partition. */
  async write(count: number): Promise<void> {
    await using producer = await this.client().topic('t').getProducer()
    for (let i = 0; i < count * 2; i++) void producer.produce(`${i}`, { partition: i % 2 })
    await producer.flush()
  }

  async committed(): Promise<ReadonlyMap<number, number>> {
    const consumer = await this.client().topic('t').getSimpleConsumer({ consumerGroup: 'g' })
    const found = await consumer.fetchOffsets()
    await consumer.close()
    return found
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kafka.faults.clear()
    await Promise.allSettled(this.#clients.map((client) => client.close()))
    await this.kafka.stop()
    await this.#zookeeper.stop()
  }
}

/** How closing a consumer ends what reads it: `run` resolves. */
const CLOSED = { code: 'CLOSED' }

async function endOf(reading: Promise<void>): Promise<object> {
  const { error } = await settled(reading)
  return error ?? CLOSED
}

type Work = (partition: number) => Promise<void>
const WAYS: Record<string, (from: BalancedConsumer, work: Work) => Promise<void>> = {
  async 'for await'(from, work) {
    for await (const { partition } of from) await work(partition)
  },
  async 'batches()'(from, work) {
    for await (const { partition } of from.batches()) await work(partition)
  },
  async 'consume()'(from, work) {
    for (;;) {
      const message = await from.consume()
      if (message !== undefined) await work(message.partition)
    }
  },
  async 'stream()'(from, work) {
    for await (const message of from.stream()) await work((message as TopicPartition).partition)
  },
  'run()': (from, work) => from.run(({ partition }) => work(partition)),
}

/** One member that is processing the first message or batch that it gets. */
async function atWork(
  member: BalancedConsumer,
  way: string,
): Promise<{ partition: number; work: { resolve(): void }; reading: Promise<object> }> {
  const begun = deferred<number>()
  const work = deferred()
  let isFirst = true
  const reading = endOf(
    WAYS[way]!(member, async (partition) => {
      if (!isFirst) return
      isFirst = false
      begun.resolve(partition)
      await work.promise
    }),
  )
  return { partition: await begun.promise, work, reading }
}

const EVERY_WAY = GROUPS.flatMap((group) => Object.keys(WAYS).map((way) => ({ group, way })))

describe.each(EVERY_WAY)(
  'a message or batch that $way is processing in a group $group',
  ({ group, way }) => {
    it('is waited for and committed before another member reads it', async () => {
      await using scene = await Scene.open(group)
      await scene.write(5)
      const order: string[] = []
      const onPartitionsRevoked = async (
        _: readonly TopicPartition[],
        consumer: BalancedConsumer,
      ) => {
        order.push('hook')
        await consumer.commitOffsets()
      }
      const first = await scene.member({ onPartitionsRevoked })
      scene.leaving = first.memberId
      const { partition, work } = await atWork(first, way)
      const joining = scene.member()
      await until(() => first.assignment.length === 0)
      await new Promise((resolve) => setTimeout(resolve, 50))
      expect(order).toEqual([])
      expect((await scene.committed()).get(partition) ?? 0).toBe(0)
      work.resolve()
      const second = await joining
      await until(() => second.assignment.length === 2)
      expect(order).toEqual(['hook'])
      const position = (await scene.committed()).get(partition)!
      expect(position).toBeGreaterThan(0)
      expect(second.positions.get(partition)).toBe(position)
    })
  },
)

describe.each(GROUPS)('a consumer in a group %s', (group) => {
  it('does not commit work that exceeds rebalanceTimeoutMs, and another member receives it again', async () => {
    await using scene = await Scene.open(group)
    await scene.write(5)
    const first = await scene.member({
      rebalanceTimeoutMs: 200,
      autoCommitEnable: true,
      onPartitionsRevoked: (_: unknown, consumer: BalancedConsumer) => consumer.commitOffsets(),
    })
    scene.leaving = first.memberId
    const { value: batch } = await first.batches().next()
    const { signal, partition } = batch!
    const second = await scene.member()
    await until(() => second.assignment.length === 2)
    expect(signal.reason).toMatchObject({ code: 'PARTITION_REVOKED', partition })
    expect((await scene.committed()).get(partition) ?? 0).toBe(0)
    expect(second.positions.get(partition)).toBe(0)
    await expect(batch!.commit()).rejects.toMatchObject({ name: 'OffsetCommitError' })
  })

  it('waits in close() for the loop, and commits what the loop has done', async () => {
    await using scene = await Scene.open(group)
    await scene.write(5)
    const member = await scene.member({ autoCommitEnable: true })
    const { partition, work, reading } = await atWork(member, 'batches()')
    const closing = member.close()
    await until(() => member.assignment.length === 0)
    expect((await scene.committed()).get(partition) ?? 0).toBe(0)
    work.resolve()
    await closing
    expect((await scene.committed()).get(partition)).toBe(5)
    expect(await reading).toMatchObject(CLOSED)
  })

  it.each(Object.keys(WAYS).filter((way) => way !== 'consume()'))(
    'does not wait for itself when close() is called in %s',
    async (way) => {
      await using scene = await Scene.open(group)
      await scene.write(5)
      const member = await scene.member({ autoCommitEnable: true, ...ENDLESS })
      const reading = endOf(
        WAYS[way]!(member, async () => {
          await scene.committed()
          await member.close({ timeoutMs: ENDLESS_MS })
        }),
      )
      expect(await reading).toMatchObject(CLOSED)
    },
  )

  it.each(['onPartitionsRevoked', 'onPartitionsAssigned'])(
    'does not wait for itself when %s calls close()',
    async (name) => {
      await using scene = await Scene.open(group)
      let isCalled = false
      const hook = async (_: unknown, consumer: BalancedConsumer) => {
        await consumer.close({ timeoutMs: ENDLESS_MS })
        isCalled = true
      }
      const more = { [name]: hook, ...ENDLESS } as Partial<BalancedConsumerOptions>
      const member = await scene.member(more).catch(() => undefined)
      await member?.close({ timeoutMs: ENDLESS_MS })
      expect(isCalled).toBe(true)
    },
  )

  it('ends close() at its timeout, whatever a handler does', async () => {
    await using scene = await Scene.open(group)
    await scene.write(5)
    const revoked: number[] = []
    const member = await scene.member({
      autoCommitEnable: true,
      onPartitionsRevoked: (partitions: readonly TopicPartition[]) => {
        revoked.push(partitions.length)
      },
      ...ENDLESS,
    })
    const { work } = await atWork(member, 'run()')
    await expect(member.close({ timeoutMs: 1_200 })).rejects.toMatchObject({
      code: 'REBALANCE_FAILED',
    })
    // There was time left for the hook.
    expect(revoked).toEqual([2])
    work.resolve()
    // Others can have the partitions.
    const next = await scene.member()
    await until(() => next.assignment.length === 2)
  })

  it('ends close() when its signal is aborted, with the reason of the signal', async () => {
    await using scene = await Scene.open(group)
    await scene.write(5)
    const member = await scene.member({ autoCommitEnable: true })
    const { work } = await atWork(member, 'for await')
    const abort = new AbortController()
    const closing = failureOf(member.close({ signal: abort.signal }))
    await until(() => member.assignment.length === 0)
    abort.abort(new Error('no longer'))
    expect((await closing).message).toBe('no longer')
    work.resolve()
  })
})

describe('a managed member', () => {
  it('is closed within its timeout while the coordinator is silent', async () => {
    await using scene = await Scene.open()
    await scene.write(5)
    const member = await scene.member(
      { autoCommitEnable: true },
      scene.client({ operationTimeoutMs: ENDLESS_MS, socketTimeoutMs: ENDLESS_MS }),
    )
    await member.consume()
    await member.consume()
    // What is sent behind it on the same connection is not answered either.
    scene.kafka.faults.on({ api: 'OffsetCommit' }, { drop: true })
    await member.close({ timeoutMs: 500 }).catch(() => undefined)
  })

  it('waits to start for as long as a rebalance may take, not only for operationTimeoutMs', async () => {
    await using scene = await Scene.open()
    await scene.write(1)
    const first = await scene.member()
    const { work } = await atWork(first, 'run()')
    const starting = scene.member({}, scene.client({ operationTimeoutMs: 300 }))
    await until(() => first.assignment.length === 0)
    // Longer than operationTimeoutMs.
    await new Promise((resolve) => setTimeout(resolve, 600))
    work.resolve()
    await starting
  })

  it('does not start without a coordinator after operationTimeoutMs, and reports the reason', async () => {
    await using scene = await Scene.open()
    scene.kafka.faults.on({ api: 'FindCoordinator' }, { error: 'COORDINATOR_NOT_AVAILABLE' })
    const starting = scene.member({}, scene.client({ operationTimeoutMs: 2_000 }))
    await expect(starting).rejects.toMatchObject({ code: 'COORDINATOR_NOT_AVAILABLE' })
  })

  it('keeps reading while its coordinator refuses every commit', async () => {
    await using scene = await Scene.open()
    await scene.write(20)
    const member = await scene.member({ autoCommitEnable: true, autoCommitIntervalMs: 10 })
    const fault = scene.kafka.faults.on(
      { api: 'OffsetCommit' },
      { error: 'COORDINATOR_LOAD_IN_PROGRESS' },
    )
    const refused = () => scene.kafka.requests.all({ api: 'OffsetCommit' }).length
    let count = 0
    const failure = failureOf(
      (async () => {
        for await (const { offset } of member) {
          expect(offset).toBeLessThan(20)
          if (++count === 10) await until(() => refused() > 20)
          if (count === 40) fault.remove()
        }
      })(),
    )
    await until(() => count === 40)
    for (;;) {
      const offsets = await scene.committed()
      if (offsets.get(0) === 20 && offsets.get(1) === 20) break
    }
    await member.close()
    expect(await failure).toMatchObject({ code: 'CLOSED' })
  })

  it('keeps reading after its session expired, although commits of the old session are refused', async () => {
    await using scene = await Scene.open()
    await scene.write(5)
    const member = await scene.member({ autoCommitEnable: true, autoCommitIntervalMs: 10 })
    let count = 0
    let isRefused = false
    const failure = failureOf(
      (async () => {
        for await (const { offset } of member) {
          expect(offset).toBeLessThan(5)
          if (++count !== 5) continue
          // What a commit gets that leaves before the member knows that its session has run out.
          const fault = scene.kafka.faults.on(
            { api: 'OffsetCommit', times: 3 },
            { error: 'UNKNOWN_MEMBER_ID' },
          )
          const before = scene.kafka.requests.all({ api: 'OffsetCommit' }).length
          await until(() => scene.kafka.requests.all({ api: 'OffsetCommit' }).length > before)
          isRefused = true
          fault.remove()
        }
      })(),
    )
    await until(() => count >= 10)
    expect(isRefused).toBe(true)
    await member.close()
    expect(await failure).toMatchObject({ code: 'CLOSED' })
  })

  it('throws in the loop when a commit can never succeed', async () => {
    await using scene = await Scene.open()
    await scene.write(5)
    const member = await scene.member({ autoCommitEnable: true, autoCommitIntervalMs: 10 })
    scene.kafka.faults.on({ api: 'OffsetCommit' }, { error: 'GROUP_AUTHORIZATION_FAILED' })
    const reading = failureOf(WAYS['for await']!(member, () => Promise.resolve()))
    expect(await reading).toMatchObject({ code: 'GROUP_AUTHORIZATION_FAILED' })
  })

  it('that leads the group assigns nothing to a member whose metadata it cannot read, and names the member', async () => {
    await using scene = await Scene.open()
    const warnings: string[] = []
    const ignore = () => undefined
    const warn = (text: string) => void warnings.push(text)
    const logger = { debug: ignore, info: ignore, error: ignore, warn }
    const leader = await scene.member({}, scene.client({ logger }))
    // Before KIP-394 there is an id at once.
    const joined = await requestOnce(
      scene.kafka.hosts,
      joinGroup,
      {
        groupId: 'g',
        sessionTimeoutMs: 30_000,
        rebalanceTimeoutMs: 30_000,
        memberId: '',
        protocolType: 'consumer',
        protocols: [{ name: 'other', metadata: Buffer.from('garbage') }],
      },
      2,
    )
    expect(joined.errorCode).toBe(0)
    await until(() => warnings.some((text) => text.includes(joined.memberId)))
    await until(() => leader.assignment.length === 2)
    expect(warnings.find((text) => text.includes(joined.memberId))).toMatch(
      /metadata cannot be read/,
    )
  })

  it('waits for a topic among several that does not exist', async () => {
    await using scene = await Scene.open()
    const member = await scene.client({ metadataMaxAgeMs: 100 }).getBalancedConsumer({
      topics: ['t', 'later'],
      managed: true,
      consumerGroup: 'g',
      heartbeatIntervalMs: 30,
    })
    expect(member.assignment).toHaveLength(2)
  })
})

describe.each(GROUPS)('a standby in a group %s', (group) => {
  it('does not apply resetOffsetOnStart when it takes over', async () => {
    await using scene = await Scene.open(group)
    await scene.write(5)
    const first = await scene.member()
    // The standby gives up what it has, as long as there is another.
    const starting = scene.member({ resetOffsetOnStart: true, autoStart: false })
    const standby = await starting
    if (group === 'by ZooKeeper') scene.leaving = standby.memberId
    else scene.keeping = first.memberId
    await standby.start()
    expect(standby.assignment).toEqual([])
    for (let i = 0; i < 10; i++) await first.consume()
    await first.commitOffsets()
    await first.close()
    await until(() => standby.assignment.length === 2)
    expect(standby.positions).toEqual(
      new Map([
        [0, 5],
        [1, 5],
      ]),
    )
  })
})
