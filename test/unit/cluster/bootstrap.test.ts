import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { apiVersions } from '../../../protocol/apis/api-versions.ts'
import { listGroups } from '../../../protocol/apis/list-groups.ts'
import { metadata } from '../../../protocol/apis/metadata.ts'
import { saslAuthenticate } from '../../../protocol/apis/sasl-authenticate.ts'
import { saslHandshake } from '../../../protocol/apis/sasl-handshake.ts'
import { ErrorCode } from '../../../protocol/errors.ts'
import { Deadline } from '../../../src/async/deadline.ts'
import { NoBrokersAvailableError } from '../../../src/errors.ts'
import { KafkaClient } from '../../../src/client.ts'
import { EmbeddedCluster } from '../../../src/embedded/index.ts'
import { retryChannel } from '../../../src/observe/channels.ts'
import { FakeBroker } from '../../support/fake-broker.ts'
import {
  clusterAt,
  layoutOf,
  metadataOf,
  QUICK,
  tellLayout,
  tellOffsets,
  type Layout,
} from '../../support/fake-cluster.ts'
import { failureOf } from '../../support/settled.ts'
import { until } from '../../support/until.ts'

const TOPIC = 'orders'
let seed: FakeBroker
let node: FakeBroker
let layout: Layout

beforeEach(async () => {
  seed = await FakeBroker.start()
  node = await FakeBroker.start()
  layout = layoutOf([node], { [TOPIC]: [1] })
  tellLayout(layout, seed, node)
})
afterEach(async () => {
  await seed.stop()
  await node.stop()
})

const lookUp = () => ({ create: false, deadline: new Deadline(60_000) })

describe('a cluster', () => {
  it('is found through any of the addresses', async () => {
    const gone = await FakeBroker.start()
    await gone.stop()
    const cluster = clusterAt([seed], { hosts: [gone.name, seed.name] }, {})
    expect((await cluster.topic(TOPIC, lookUp())).partitions).toHaveLength(1)
    await cluster.close(0)
  })

  it('reports at once what each address answered when none was ever reached', async () => {
    const gone = [await FakeBroker.start(), await FakeBroker.start()]
    for (const broker of gone) await broker.stop()
    const cluster = clusterAt(gone, {}, {})
    const retries: unknown[] = []
    const count = (event: unknown) => retries.push(event)
    subscribe(retryChannel.name, count)
    const error = await failureOf(cluster.topic(TOPIC, lookUp()))
    unsubscribe(retryChannel.name, count)
    expect(error).toBeInstanceOf(NoBrokersAvailableError)
    for (const { name } of gone) expect(error.message).toContain(`${name}: connect ECONNREFUSED`)
    expect(retries).toEqual([])
  })

  it('is asked again when its first connection ends before the first response', async () => {
    let asked = 0
    const answer = metadataOf
    seed.handle(metadata, ({ topics }, { socket }) => {
      if (++asked > 2)
        return answer(
          layout,
          (topics ?? []).map(({ name }) => name ?? ''),
        )
      socket.destroy()
      return undefined
    })
    const cluster = clusterAt([seed], {}, {})
    expect((await cluster.topic(TOPIC, lookUp())).partitions).toHaveLength(1)
    expect(asked).toBe(3)
    await cluster.close(0)
  })

  it('is asked again when connections fail after a request without metadata got its response', async () => {
    const cluster = clusterAt([seed], {}, {})
    await cluster.requestAny(apiVersions, {}, { timeoutMs: 5_000 })
    await seed.stop()
    let retries = 0
    const count = () => {
      retries++
    }
    subscribe(retryChannel.name, count)
    let error: unknown
    const lookingUp = cluster.topic(TOPIC, lookUp()).catch((problem: unknown) => {
      error = problem
    })
    await until(() => retries > 0 || error !== undefined)
    unsubscribe(retryChannel.name, count)
    expect(error).toBeUndefined()
    await using again = await FakeBroker.start({ port: seed.port })
    tellLayout(layout, again)
    expect((await lookingUp)?.partitions).toHaveLength(1)
    await cluster.close(0)
  })

  it('is found again through the bootstrap addresses when all known brokers are gone (KIP-899)', async () => {
    const cluster = clusterAt([seed])
    await cluster.topic(TOPIC, lookUp())
    const moved = await FakeBroker.start()
    await node.stop()
    layout.brokers = [{ nodeId: 7, ...moved.address }]
    layout.topics = { [TOPIC]: [7] }
    tellLayout(layout, moved)
    await cluster.topic(TOPIC, lookUp())
    expect([...cluster.brokers.keys()]).toEqual([7])
    await cluster.close(0)
    await moved.stop()
  })

  it('resolves the bootstrap addresses again, because DNS may have changed', async () => {
    const later = await FakeBroker.start()
    tellLayout(layout, later)
    let addresses = [seed.address]
    const cluster = clusterAt([], { hosts: 'x' }, { bootstrap: () => Promise.resolve(addresses) })
    await cluster.topic(TOPIC, lookUp())
    await node.stop()
    await seed.stop()
    addresses = [later.address]
    layout.brokers = [{ nodeId: 1, ...later.address }]
    await cluster.topic(TOPIC, lookUp())
    expect(cluster.brokers.get(1)?.address).toEqual(later.address)
    await cluster.close(0)
    await later.stop()
  })

  it('is bootstrapped again when a broker requests it (KIP-1102)', async () => {
    const cluster = clusterAt([seed])
    await cluster.topic(TOPIC, lookUp())
    node.handle(metadata, () => ({
      brokers: [],
      topics: [],
      errorCode: ErrorCode.REBOOTSTRAP_REQUIRED,
    }))
    layout.brokers = [{ nodeId: 2, ...seed.address }]
    layout.topics = { [TOPIC]: [2] }
    await cluster.topic(TOPIC, lookUp())
    expect([...cluster.brokers.keys()]).toEqual([2])
    await cluster.close(0)
  })
})

describe('two clusters in one process', () => {
  it('have separate API versions', async () => {
    const old = await FakeBroker.start({
      versions: { ApiVersions: [0, 0], Metadata: [0, 1], ListOffsets: [0, 1] },
    })
    const oldLayout = layoutOf([old], { [TOPIC]: [1] })
    tellLayout(oldLayout, old)
    tellOffsets(old, 1n)
    tellOffsets(node, 2n)
    await using newer = new KafkaClient({ ...QUICK, hosts: node.name })
    await using older = new KafkaClient({ ...QUICK, hosts: old.name })
    const [fromNewer, fromOlder] = await Promise.all(
      [newer, older].map((client) => client.topic(TOPIC).latestAvailableOffsets()),
    )
    expect([fromNewer?.get(0), fromOlder?.get(0)]).toEqual([2, 1])
    const versionsAt = (broker: FakeBroker) =>
      Object.fromEntries(broker.requests.map(({ api, version }) => [api, version]))
    expect(versionsAt(old)).toEqual({ ApiVersions: 0, Metadata: 1, ListOffsets: 1 })
    expect(versionsAt(node)).toMatchObject({ Metadata: metadata.versions.max })
    await old.stop()
  })
})

describe('a broker that does not respond to ApiVersions', () => {
  it('is treated as older than 0.10 when it answers an old request and closes the connection at ApiVersions', async () => {
    const cluster = clusterAt([seed])
    tellLayout({ ...layout, brokers: [{ nodeId: 1, ...seed.address }] }, seed)
    tellOffsets(seed, 0n)
    seed.handle(apiVersions, (_, { socket }) => void socket.destroy())
    await cluster.topic(TOPIC, lookUp())
    expect(seed.received(metadata).map(({ version }) => version)).toEqual([0])
    await cluster.close(0)
  })

  it('is no longer asked in the oldest versions once it answers in newer ones', async () => {
    const cluster = clusterAt([seed])
    tellLayout({ ...layout, brokers: [{ nodeId: 1, ...seed.address }] }, seed)
    tellOffsets(seed, 0n)
    const { min, max } = metadata.versions
    let isUpgraded = false
    seed.handle(apiVersions, (_, { socket }) => {
      if (isUpgraded)
        return { errorCode: 0, apiKeys: [{ apiKey: 3, minVersion: min, maxVersion: max }] }
      socket.destroy()
      return undefined
    })
    // The client sends it if the response to ApiVersions takes more than a millisecond.
    seed.handle(listGroups, (_, { socket }) => {
      if (isUpgraded) return { errorCode: 0, groups: [] }
      socket.destroy()
      return undefined
    })
    await cluster.topic(TOPIC, lookUp())
    isUpgraded = true
    seed.dropConnections()
    await until(() => !cluster.brokers.get(1)!.isConnected)
    await cluster.refresh(TOPIC)
    expect(seed.received(metadata).map(({ version }) => version)).toEqual([0, max])
    await cluster.close(0)
  })

  it('is not treated as an old one, no matter how many connections are closed silently at first contact', async () => {
    tellOffsets(seed, 0n)
    let left = 5
    seed.onConnection = (socket) => {
      if (left-- > 0) socket.destroy()
    }
    const cluster = clusterAt([seed], { waitForCluster: true })
    await cluster.topic(TOPIC, lookUp())
    expect(seed.received(metadata)[0]?.version).toBe(metadata.versions.max)
    await cluster.close(0)
  })

  it('is asked again after one lost connection, and keeps its versions', async () => {
    dropApiVersions(seed, 1)
    const cluster = clusterAt([seed])
    await cluster.topic(TOPIC, lookUp())
    expect(seed.received(metadata)[0]?.version).toBe(metadata.versions.max)
    await cluster.close(0)
  })

  it('is asked in its own versions after it has reset the connection for a version that it lacks', async () => {
    // As Azure Event Hubs does; with a login, before which nothing else may be asked.
    await using hub = await FakeBroker.start({ versions: { ApiVersions: [0, 3] } })
    let resets = 0
    hub.handle(apiVersions, (_, { version, socket }) => {
      if (version > 3) {
        resets++
        socket.destroy()
        return undefined
      }
      const apis = [apiVersions, metadata, saslHandshake, saslAuthenticate]
      const apiKeys = apis.map(({ key, versions: { min, max } }) => ({
        apiKey: key,
        minVersion: min,
        maxVersion: key === apiVersions.key ? 3 : max,
      }))
      return { errorCode: 0, apiKeys }
    })
    hub.handle(saslHandshake, () => ({ errorCode: 0, mechanisms: ['PLAIN'] }))
    hub.handle(saslAuthenticate, () => ({
      errorCode: 0,
      errorMessage: null,
      authBytes: Buffer.alloc(0),
    }))
    tellLayout(layoutOf([hub], { [TOPIC]: [1] }), hub)
    const cluster = clusterAt([hub], {
      sasl: { mechanism: 'PLAIN', username: '$ConnectionString', password: 'p' },
    })
    await cluster.topic(TOPIC, lookUp())
    hub.dropConnections()
    await until(() => !cluster.brokers.get(1)!.isConnected)
    await cluster.refresh(TOPIC)
    await cluster.refresh(TOPIC)
    // The broker has the connection of the bootstrap address, and remembers what that has shown.
    expect(resets).toBe(1)
    await cluster.close(0)
  })

  it('is never treated as an old one when it has answered before', async () => {
    const cluster = clusterAt([node])
    await cluster.topic(TOPIC, lookUp())
    await cluster.topic(TOPIC, lookUp())
    dropApiVersions(node, 3)
    node.dropConnections()
    await cluster.topic(TOPIC, lookUp())
    const versions = new Set(node.received(metadata).map(({ version }) => version))
    expect([...versions]).toEqual([metadata.versions.max])
    await cluster.close(0)
  })
})

describe('a client of one cluster', () => {
  /** Brokers before Kafka 4.4 do not compare the cluster id themselves (KIP-1242). */
  const BEFORE_KIP_1242 = { ApiVersions: [0, 4] } as const

  function tellCluster(broker: FakeBroker, clusterId: string): void {
    broker.handle(metadata, ({ topics }) => ({
      ...metadataOf(
        layoutOf([broker], { [TOPIC]: [1] }),
        (topics ?? []).map(({ name }) => name ?? ''),
      ),
      clusterId,
    }))
  }

  it('sends nothing to a broker of another cluster that took over the address', async () => {
    const versions = BEFORE_KIP_1242
    const ours = await FakeBroker.start({ versions })
    tellCluster(ours, 'ours')
    tellOffsets(ours, 7n)
    const client = new KafkaClient({ ...QUICK, hosts: ours.name, operationTimeoutMs: 500 })
    const topic = client.topic(TOPIC)
    await topic.latestAvailableOffsets()
    await ours.stop()
    await using theirs = await FakeBroker.start({ versions, port: ours.port })
    tellCluster(theirs, 'theirs')
    tellOffsets(theirs, 8n)
    const error = await failureOf(topic.latestAvailableOffsets())
    expect(error.message).toMatch(
      /belongs to the cluster 'theirs'; this client uses the cluster 'ours'/,
    )
    expect(new Set(theirs.requests.map(({ api }) => api))).toEqual(
      new Set(['ApiVersions', 'Metadata']),
    )
    await client.close()
  })

  it('sends the cluster id and node id that it expects, and believes a broker that reports another', async () => {
    await using ours = await FakeBroker.start()
    tellCluster(ours, 'ours')
    tellOffsets(ours, 7n)
    const client = new KafkaClient({ ...QUICK, hosts: ours.name, operationTimeoutMs: 500 })
    await client.topic(TOPIC).latestAvailableOffsets()
    const asked = ours.received(apiVersions).map(({ body }) => body)
    expect(asked[0]).toMatchObject({ clusterId: null, nodeId: -1 })
    expect(asked.at(-1)).toMatchObject({ clusterId: 'ours', nodeId: 1 })
    ours.handle(apiVersions, () => ({ errorCode: ErrorCode.REBOOTSTRAP_REQUIRED, apiKeys: [] }))
    ours.dropConnections()
    const error = await failureOf(client.topic(TOPIC).latestAvailableOffsets())
    expect(error.message).toContain("this client uses the cluster 'ours'")
    await client.close()
  })
})

describe('a cluster that is not available yet', () => {
  it('is waited for if the client is configured to wait', async () => {
    const first = await FakeBroker.start()
    await first.stop()
    const client = new KafkaClient({ ...QUICK, hosts: first.name, waitForCluster: true })
    const partitions = client.topic(TOPIC).partitions()
    await using broker = await FakeBroker.start({ port: first.port })
    tellLayout(layoutOf([broker], { [TOPIC]: [1] }), broker)
    expect(await partitions).toHaveLength(1)
    await client.close()
  })
})

describe('a client that is closed', () => {
  it('closes within its timeout while the brokers are down', async () => {
    const kafka = await EmbeddedCluster.start({ topics: { [TOPIC]: { partitions: 1 } } })
    // Longer than a test may take: what waits for this long fails the test.
    const endlessMs = 3_600_000
    const client = new KafkaClient({ hosts: kafka.hosts, operationTimeoutMs: endlessMs })
    const topic = client.topic(TOPIC)
    const producer = await topic.getProducer({ deliveryTimeoutMs: endlessMs })
    await producer.produce('x')
    const consumer = await topic.getSimpleConsumer({ consumerGroup: 'g', autoCommitEnable: true })
    await consumer.consume()
    await kafka.stopBroker(1)
    const unsent = failureOf(producer.produce('y'))
    expect(await failureOf(client.close({ timeoutMs: 300 }))).toMatchObject({
      code: expect.any(String),
    })
    expect((await unsent).name).toBe('ProduceFailureError')
    await kafka.stop()
  })

  it('closes as soon as its signal is aborted', async () => {
    const kafka = await EmbeddedCluster.start({ topics: { [TOPIC]: { partitions: 1 } } })
    const client = new KafkaClient({ hosts: kafka.hosts })
    const consumer = await client
      .topic(TOPIC)
      .getSimpleConsumer({ consumerGroup: 'g', autoCommitEnable: true })
    await (await client.topic(TOPIC).getProducer()).produce('x')
    await consumer.consume()
    await kafka.stopBroker(1)
    const controller = new AbortController()
    const closing = failureOf(client.close({ signal: controller.signal }))
    controller.abort(new Error('now'))
    expect(await closing).toEqual(new Error('now'))
    await kafka.stop()
  })

  it('rejects calls in progress and later ones as closed', async () => {
    seed.handle(metadata, () => undefined)
    const client = new KafkaClient({ ...QUICK, hosts: seed.name })
    const topic = client.topic(TOPIC)
    const waiting = failureOf(topic.partitions())
    await seed.until(() => seed.received(metadata).length === 1)
    await client.close()
    for (const error of [await waiting, await failureOf(topic.partitions())]) {
      expect(error).toMatchObject({ name: 'ClosedError', code: 'CLOSED' })
    }
    await seed.until(() => seed.openConnections === 0)
  })
})

/** Closes the next connections when they ask for versions, as brokers before 0.10 do. */
function dropApiVersions(broker: FakeBroker, times: number): void {
  let left = times
  broker.onConnection = (socket) => {
    socket.once('data', (request) => {
      if (request.readInt16BE(4) === apiVersions.key && left-- > 0) socket.destroy()
    })
  }
}
