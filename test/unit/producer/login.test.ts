import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import diagnostics from 'node:diagnostics_channel'
import { EmbeddedCluster } from '../../../src/embedded/index.ts'
import { KafkaClient, type ConnectEvent } from '../../../src/index.ts'
import { QUICK } from '../../support/fake-cluster.ts'
import { failureOf } from '../../support/settled.ts'
import { until } from '../../support/until.ts'

let kafka: EmbeddedCluster
let client: KafkaClient
/** What the provider of tokens does. */
let provider: 'gives' | 'fails' | 'gives bad ones'
let asked = 0
/** Connections of the client. */
let open = 0
const onConnect = (event: unknown) => {
  if ((event as ConnectEvent).error === undefined) open++
}
const onClose = () => {
  open--
}
beforeEach(async () => {
  open = 0
  diagnostics.subscribe('samsa:connect', onConnect)
  diagnostics.subscribe('samsa:close', onClose)
  provider = 'gives'
  asked = 0
  kafka = await EmbeddedCluster.start({
    topics: { t: { partitions: 1 }, u: { partitions: 1 } },
    sasl: {
      validateToken: ({ value }) => {
        if (value === 'bad') throw new Error('invalid_token')
        return { name: 'carol' }
      },
    },
  })
  const token = () => {
    asked++
    if (provider === 'fails') throw new Error('the provider is away')
    return { value: provider === 'gives' ? 'good' : 'bad' }
  }
  const sasl = { mechanism: 'OAUTHBEARER', token } as const
  client = new KafkaClient({ ...QUICK, hosts: kafka.hosts, sasl })
})
afterEach(async () => {
  await client.close().catch(() => undefined)
  await kafka.stop()
  diagnostics.unsubscribe('samsa:connect', onConnect)
  diagnostics.unsubscribe('samsa:close', onClose)
})

/** All connections end, and each new one has to log in. */
async function restart(): Promise<void> {
  const [id = -1] = kafka.brokerIds
  await kafka.stopBroker(id)
  await until(() => open === 0)
  await kafka.startBroker(id)
  asked = 0
}

describe('while no token is available', () => {
  it('messages wait, also those whose topic is being looked up', async () => {
    const producer = await client.getProducer()
    await producer.produce('t', 'before')
    provider = 'fails'
    await restart()
    const sent = Promise.resolve(producer.produce('t', 'during'))
    const looked = Promise.resolve(producer.produce('u', 'during'))
    await until(() => asked > 10)
    provider = 'gives'
    expect(await sent).toMatchObject({ topic: 't', offset: 1 })
    expect(await looked).toMatchObject({ topic: 'u', offset: 0 })
  })

  it('a message fails at its deliveryTimeoutMs, and is not in the log', async () => {
    const producer = await client.topic('t').getProducer({ deliveryTimeoutMs: 500 })
    await producer.produce('before')
    provider = 'fails'
    await restart()
    const error = await failureOf(producer.produce('lost'))
    expect(error).toMatchObject({
      name: 'ProduceFailureError',
      outcomeUnknown: false,
      cause: { code: 'SASL_CREDENTIALS_UNAVAILABLE' },
    })
    provider = 'gives'
    const next = await client.topic('t').getProducer()
    expect(await next.produce('after')).toMatchObject({ offset: 1 })
  })
})

describe('when the broker refuses the credentials', () => {
  it('a message fails at once, and the next one logs in again', async () => {
    const producer = await client.topic('t').getProducer()
    await producer.produce('before')
    provider = 'gives bad ones'
    await restart()
    expect(await failureOf(producer.produce('refused'))).toMatchObject({
      code: 'SASL_AUTHENTICATION_FAILED',
    })
    provider = 'gives'
    expect(await producer.produce('after')).toMatchObject({ offset: 1 })
  })
})
