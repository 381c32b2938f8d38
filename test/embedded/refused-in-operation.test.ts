import { afterAll, describe, expect, it } from '@jest/globals'
import { EmbeddedCluster } from '../../src/embedded/index.ts'
import { AuthenticationError, KafkaClient, TlsError } from '../../src/index.ts'
import { TestAuthority, type Identity } from '../support/certificates.ts'
import { QUICK } from '../support/fake-cluster.ts'
import { failureOf } from '../support/settled.ts'
import { TemporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'
import { keepWarnings } from '../support/warnings.ts'

const authority = new TestAuthority()
const stranger = new TestAuthority('Unknown authority')
afterAll(() => {
  authority[Symbol.dispose]()
  stranger[Symbol.dispose]()
})

const OFTEN = { fetchErrorBackoffMs: 20 } as const

describe('a simple consumer whose connection is refused while it runs', () => {
  it('reports a refused login once, retries, and keeps reading when the login is accepted', async () => {
    let isRefusing = false
    let refused = 0
    await using kafka = await EmbeddedCluster.start({
      topics: { t: { partitions: 1 } },
      sasl: {
        validateToken: () => {
          if (isRefusing) refused++
          return isRefusing ? undefined : { name: 'carol' }
        },
      },
    })
    const { logger } = keepWarnings()
    const token = () => ({ value: 'good' })
    const sasl = { mechanism: 'OAUTHBEARER', token } as const
    await using client = new KafkaClient({ ...QUICK, hosts: kafka.hosts, sasl, logger })
    const producer = await client.topic('t').getProducer()
    await using consumer = await client.topic('t').getSimpleConsumer(OFTEN)
    await producer.produce('before')
    expect((await consumer.consume())?.value?.toString()).toBe('before')
    isRefusing = true
    await kafka.stopBroker(1)
    await kafka.startBroker(1)
    expect(await failureOf(consumer.consume())).toBeInstanceOf(AuthenticationError)
    const next = consumer.consume()
    const before = refused
    await until(() => refused >= before + 10)
    isRefusing = false
    await producer.produce('after')
    expect((await next)?.value?.toString()).toBe('after')
  })

  it('reports an untrusted certificate once, retries, and keeps reading', async () => {
    using folder = new TemporaryFolder()
    const dataDir = folder.path
    const good = authority.issue({ commonName: 'broker', hosts: ['127.0.0.1'] })
    const bad = stranger.issue({ commonName: 'broker', hosts: ['127.0.0.1'] })
    let ports: readonly number[] = [0]
    let handshakes = 0
    const start = async ({ cert, key }: Identity) => {
      const topics = { t: { partitions: 1 } }
      // A client that does not trust the broker ends the handshake, which is an error of the connection there.
      const onError = (): void => {
        handshakes++
      }
      const kafka = await EmbeddedCluster.start({
        dataDir,
        ports,
        topics,
        tls: { cert, key },
        onError,
      })
      ports = kafka.ports
      return kafka
    }
    await using kafka = await start(good)
    const { logger } = keepWarnings()
    const tls = { ca: authority.cert }
    await using client = new KafkaClient({ ...QUICK, hosts: kafka.hosts, tls, logger })
    const producer = await client.topic('t').getProducer()
    await using consumer = await client.topic('t').getSimpleConsumer(OFTEN)
    await producer.produce('before')
    expect((await consumer.consume())?.value?.toString()).toBe('before')
    await kafka.stop()
    await using untrusted = await start(bad)
    expect(await failureOf(consumer.consume())).toBeInstanceOf(TlsError)
    const next = consumer.consume()
    const before = handshakes
    await until(() => handshakes >= before + 10)
    await untrusted.stop()
    await using again = await start(good)
    await producer.produce('after')
    expect((await next)?.value?.toString()).toBe('after')
    expect(again.offsetsOf('t', 0).end).toBe(2)
  })
})
