import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { apiVersions } from '../../../protocol/apis/api-versions.ts'
import { metadata } from '../../../protocol/apis/metadata.ts'
import { ErrorCode } from '../../../protocol/errors.ts'
import { Deadline } from '../../../src/async/deadline.ts'
import { NoBrokersAvailableError } from '../../../src/errors.ts'
import { KafkaClient } from '../../../src/client.ts'
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
import { failureOf, settled } from '../../support/settled.ts'

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

const lookUp = () => ({ create: false, deadline: new Deadline(5_000) })

describe('a cluster', () => {
  it('is found by any of the addresses', async () => {
    const gone = await FakeBroker.start()
    await gone.stop()
    const cluster = clusterAt([seed], { hosts: [gone.name, seed.name] }, {})
    expect((await cluster.topic(TOPIC, lookUp())).partitions).toHaveLength(1)
    await cluster.close(0)
  })

  it('says at once what each address said when none was ever reached', async () => {
    const gone = [await FakeBroker.start(), await FakeBroker.start()]
    for (const broker of gone) await broker.stop()
    const cluster = clusterAt(gone, {}, {})
    const { error, tookMs } = await settled(cluster.topic(TOPIC, lookUp()))
    expect(error).toBeInstanceOf(NoBrokersAvailableError)
    for (const { name } of gone) expect(error?.message).toContain(`${name}: connect ECONNREFUSED`)
    expect(tookMs).toBeLessThan(QUICK.operationTimeoutMs)
  })

  it('is found again by the addresses to start from when all known brokers are gone (KIP-899)', async () => {
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

  it('asks for the addresses to start from anew, as DNS may have changed', async () => {
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

  it('starts again from those when a broker says so (KIP-1102)', async () => {
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
  it('each have their own versions', async () => {
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

describe('a broker that is silent when it is asked for its versions', () => {
  it('is taken for one before 0.10 when it is so twice', async () => {
    const asked: number[] = []
    seed.handle(metadata, (_, { version }) => {
      asked.push(version)
      return metadataOf({ ...layout, brokers: [{ nodeId: 1, ...seed.address }] }, [TOPIC])
    })
    dropApiVersions(seed, Infinity)
    const cluster = clusterAt([seed])
    await cluster.topic(TOPIC, lookUp())
    expect(asked).toEqual([0])
    await cluster.close(0)
  })

  it('is asked again after one lost connection, and keeps its versions', async () => {
    dropApiVersions(seed, 1)
    const cluster = clusterAt([seed])
    await cluster.topic(TOPIC, lookUp())
    expect(seed.received(metadata)[0]?.version).toBe(metadata.versions.max)
    await cluster.close(0)
  })

  it('never becomes an old one when it has answered before', async () => {
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

describe('a client that is closed', () => {
  it('tells calls under way and later ones so', async () => {
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
  }, 15_000)
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
