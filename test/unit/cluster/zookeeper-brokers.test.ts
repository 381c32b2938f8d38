import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { brokersFromZooKeeper } from '../../../src/cluster/zookeeper-brokers.ts'
import { parseZooKeeperHosts } from '../../../src/cluster/zookeeper-hosts.ts'
import { EmbeddedZooKeeper } from '../../../src/embedded/index.ts'
import { failureOf } from '../../support/settled.ts'
import { PATIENCE_MS } from '../../support/patience.ts'

let zookeeper: EmbeddedZooKeeper

beforeEach(async () => {
  zookeeper = await EmbeddedZooKeeper.start()
})
afterEach(() => zookeeper.stop())

const register = (id: number, registration: unknown) =>
  zookeeper.create(`/brokers/ids/${id}`, JSON.stringify(registration))

describe('the brokers in ZooKeeper', () => {
  it('are found by their endpoints, whose names the protocol map defines, if they have any', async () => {
    register(1, {
      host: '10.0.0.1',
      port: 9092,
      endpoints: ['PLAINTEXT://10.0.0.1:9092', 'CLIENT-2.EXTERNAL://[::1]:9093', 'SSL://b:9094'],
      listener_security_protocol_map: {
        PLAINTEXT: 'PLAINTEXT',
        'CLIENT-2.EXTERNAL': 'SASL_SSL',
        SSL: 'SSL',
      },
    })
    register(2, { host: 'c', port: 9092, endpoints: ['PLAINTEXT://c:9092', 'SSL://c:9094'] })
    const found = async (security: Parameters<typeof brokersFromZooKeeper>[1]) =>
      await brokersFromZooKeeper(parseZooKeeperHosts(zookeeper.hosts), security, PATIENCE_MS)
    expect(await found('SASL_SSL')).toEqual([{ host: '::1', port: 9093 }])
    expect(await found('SSL')).toEqual([
      { host: 'b', port: 9094 },
      { host: 'c', port: 9094 },
    ])
  })

  it('are skipped if they have no PLAINTEXT listener', async () => {
    register(1, { version: 1, host: null, port: -1 })
    register(2, { version: 2, host: null, port: -1, endpoints: ['SSL://127.0.0.1:9094'] })
    const failure = await failureOf(
      brokersFromZooKeeper(parseZooKeeperHosts(zookeeper.hosts), 'PLAINTEXT', PATIENCE_MS),
    )
    expect(failure.message).toMatch(/knows 2 brokers in \/brokers\/ids, none with a PLAINTEXT/)
    register(3, { version: 1, host: '127.0.0.1', port: 9092 })
    expect(
      await brokersFromZooKeeper(parseZooKeeperHosts(zookeeper.hosts), 'PLAINTEXT', PATIENCE_MS),
    ).toEqual([{ host: '127.0.0.1', port: 9092 }])
  })
})
