import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { connect } from 'node:net'
import { apiVersions } from '../../../protocol/apis/api-versions.ts'
import { metadata } from '../../../protocol/apis/metadata.ts'
import { ErrorCode } from '../../../protocol/errors.ts'
import { Deadline } from '../../../src/async/deadline.ts'
import type { KafkaClientOptions } from '../../../src/client-options.ts'
import type { Cluster } from '../../../src/cluster/cluster.ts'
import { EmbeddedCluster } from '../../../src/embedded/index.ts'
import { requestChannel, type RequestEvent } from '../../../src/observe/channels.ts'
import { KafkaClient } from '../../../src/client.ts'
import { FakeBroker, type FakeBrokerOptions } from '../../support/fake-broker.ts'
import { clusterAt, layoutOf, metadataOf, QUICK, type Layout } from '../../support/fake-cluster.ts'

const CLUSTER_ID = 'the-cluster'
const BEFORE_4_4 = { ApiVersions: [0, 4] } as const
const SINCE_4_4 = { ApiVersions: [0, 5] } as const
/** As a broker of SINCE_4_4 answers. */
const VERSIONS = {
  errorCode: ErrorCode.NONE,
  apiKeys: [metadata, apiVersions].map(({ key }) => ({
    apiKey: key,
    minVersion: 0,
    maxVersion: 5,
  })),
}

let broker: FakeBroker
let cluster: Cluster
let layout: Layout

afterEach(async () => {
  await cluster.close(0)
  await broker.stop()
})

/** A cluster of one broker that is listed at the address of the bootstrap, unless the layout is changed. */
async function start(
  versions: FakeBrokerOptions['versions'] & object,
  options: KafkaClientOptions = {},
): Promise<void> {
  broker = await FakeBroker.start({ versions })
  layout = layoutOf([broker])
  broker.handle(metadata, () => ({ ...metadataOf(layout, []), clusterId: CLUSTER_ID }))
  cluster = clusterAt([broker], options)
}

/** The broker is listed by name, which is also the bootstrap address. */
async function startByName(versions: FakeBrokerOptions['versions'] & object): Promise<void> {
  await start(versions)
  layout.brokers = [{ nodeId: 1, host: 'localhost', port: broker.port }]
  cluster = clusterAt([], { hosts: `localhost:${broker.port}` })
}

/** Learns the brokers, then sends a request to broker 1. */
async function useBroker(): Promise<void> {
  await cluster.refreshBrokers()
  await ask()
}

async function ask(): Promise<void> {
  const settings = { to: { broker: 1 }, what: 'asking', deadline: new Deadline(60_000) } as const
  await cluster.router.call(metadata, { topics: [] }, settings)
}

/** The requests about versions that name a node, by connection. */
const confirmations = () =>
  broker
    .received(apiVersions)
    .filter(({ body }) => 'nodeId' in body && body.nodeId === 1)
    .map(({ socket }) => socket)

describe('the connection of a bootstrap address', () => {
  it('becomes that of the broker at the same IP address', async () => {
    await start(BEFORE_4_4)
    await useBroker()
    expect(broker.connectionCount).toBe(1)
    expect(cluster.brokers.get(1)!.isConnected).toBe(true)
    expect(broker.received(apiVersions)).toHaveLength(2) // The first is in a version that is too new.
  })

  it('becomes that of a broker by name only if the broker confirms its identity (Kafka 4.4)', async () => {
    await startByName(SINCE_4_4)
    await useBroker()
    expect(broker.connectionCount).toBe(1)
    expect(confirmations()).toHaveLength(1)
  })

  it('stays apart from a broker by name that cannot confirm its identity', async () => {
    await startByName(BEFORE_4_4)
    await useBroker()
    expect(broker.connectionCount).toBe(2)
  })

  it('stays apart if a socket factory decides where it leads, and the broker cannot confirm its identity', async () => {
    const socketFactory = ({ host, port }: { host: string; port: number }) => connect(port, host)
    await start(BEFORE_4_4, { socketFactory })
    await useBroker()
    expect(broker.connectionCount).toBe(2)
  })

  it('stays apart from a broker that is listed at another address', async () => {
    await start(SINCE_4_4)
    layout.brokers = [{ nodeId: 1, host: 'localhost', port: broker.port }]
    await useBroker()
    expect(broker.connectionCount).toBe(2)
  })

  it('stays apart if several brokers are listed at its address', async () => {
    await start(SINCE_4_4)
    layout.brokers = [...layout.brokers, { ...broker.address, nodeId: 2 }]
    await useBroker()
    expect(broker.connectionCount).toBe(2)
  })

  it('is closed if it leads to another broker, and a new one is opened', async () => {
    await start(SINCE_4_4)
    const first = new Promise((resolve) => {
      broker.onConnection = (socket) => {
        broker.onConnection = () => undefined
        resolve(socket)
      }
    })
    broker.handle(apiVersions, async ({ nodeId }, { socket }) =>
      nodeId === 1 && socket === (await first)
        ? { errorCode: ErrorCode.REBOOTSTRAP_REQUIRED, apiKeys: [] }
        : VERSIONS,
    )
    await useBroker()
    expect(broker.connectionCount).toBe(2)
    expect(new Set(confirmations()).size).toBe(2)
    await broker.until(() => broker.openConnections === 1)
  })

  it('is replaced if it ends before the broker has confirmed its identity', async () => {
    await start(SINCE_4_4)
    broker.handle(apiVersions, ({ nodeId }, { socket }) => {
      if (nodeId !== 1 || broker.connectionCount > 1) return VERSIONS
      socket.destroy()
      return undefined
    })
    await useBroker()
    expect(broker.connectionCount).toBe(2)
  })

  it('is closed with the cluster while the broker has not confirmed its identity', async () => {
    await start(SINCE_4_4)
    broker.handle(apiVersions, ({ nodeId }) => (nodeId === 1 ? undefined : VERSIONS))
    await cluster.refreshBrokers()
    await broker.until(() => confirmations().length === 1)
    await cluster.close(60_000)
    await broker.until(() => broker.openConnections === 0)
  })

  it('is opened again if it ends later, and the client bootstraps again', async () => {
    await start(BEFORE_4_4)
    await useBroker()
    broker.dropConnections()
    await broker.until(() => broker.openConnections === 0)
    await ask()
    expect(broker.connectionCount).toBe(2)
    cluster.rebootstrap()
    await useBroker()
    expect(broker.connectionCount).toBe(3)
    expect(broker.openConnections).toBe(1)
  })

  it('answers what was in flight when it became that of a broker', async () => {
    await start(BEFORE_4_4)
    const answers: (() => void)[] = []
    broker.handle(metadata, async ({ topics }) => {
      if (topics?.length === 1) await new Promise<void>((resolve) => answers.push(resolve))
      return { ...metadataOf(layout, ['t']), clusterId: CLUSTER_ID }
    })
    const held = cluster.requestAny(metadata, { topics: [{ name: 't' }] }, { timeoutMs: 60_000 })
    await broker.until(() => broker.received(metadata).length === 1)
    await useBroker()
    answers[0]!()
    expect((await held).topics).toHaveLength(1)
    expect(broker.connectionCount).toBe(1)
  })
})

describe('a client of an embedded cluster', () => {
  let kafka: EmbeddedCluster
  beforeEach(async () => {
    await start(BEFORE_4_4)
    kafka = await EmbeddedCluster.start({ topics: { t: {} } })
  })
  afterEach(() => kafka.stop())

  it('opens two connections for an idempotent producer, and events have the id of the broker', async () => {
    const events: RequestEvent[] = []
    const keep = (event: unknown) => void events.push(event as RequestEvent)
    subscribe(requestChannel.name, keep)
    await using client = new KafkaClient({ ...QUICK, hosts: kafka.hosts })
    const producer = await client.topic('t').getProducer()
    await producer.produce('x')
    await client.topic('t').partitions()
    unsubscribe(requestChannel.name, keep)
    const nodesOf = (name: string) =>
      events.filter(({ api }) => api === name).map(({ nodeId }) => nodeId)
    expect(nodesOf('Metadata')).toEqual([-1, 1])
    expect(nodesOf('Produce')).toEqual([1])
    const { metrics } = client.metrics()
    const opened = metrics.find(({ name }) => name === 'samsa_connections_opened_total')
    expect(opened).toMatchObject({ samples: [{ value: 2 }] })
  })
})
