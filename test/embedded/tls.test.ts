import { afterAll, describe, expect, it } from '@jest/globals'
import { randomBytes } from 'node:crypto'
import { EmbeddedCluster, type EmbeddedClusterOptions } from '../../src/embedded/index.ts'
import { KafkaClient, type KafkaClientOptions } from '../../src/index.ts'
import { TestAuthority } from '../support/certificates.ts'
import { NO_REMARKS } from '../support/kcat.ts'
import { describeWithBrokers } from '../support/real-brokers.ts'
import { outputOf, runCommand } from '../support/run-command.ts'
import { RawClient } from './support/raw-client.ts'

const authority = new TestAuthority()
const stranger = new TestAuthority('Unknown authority')
const broker = authority.issue({ commonName: 'broker', hosts: ['127.0.0.1'] })
const alice = authority.issue({ commonName: 'alice' })
const mallory = stranger.issue({ commonName: 'mallory' })

afterAll(() => {
  authority[Symbol.dispose]()
  stranger[Symbol.dispose]()
})

function start(
  tls: Partial<EmbeddedClusterOptions['tls']> = {},
  more: EmbeddedClusterOptions = {},
): Promise<EmbeddedCluster> {
  const { cert, key } = broker
  return EmbeddedCluster.start({
    topics: { t: {} },
    tls: { cert, key, ca: authority.cert, ...tls },
    ...more,
  })
}

async function produceOne(kafka: EmbeddedCluster, options: Partial<KafkaClientOptions> = {}) {
  await using client = new KafkaClient({
    hosts: kafka.hosts,
    tls: { ca: authority.cert },
    ...options,
  })
  const producer = await client.topic('t').getProducer({ deliveryTimeoutMs: 3_000 })
  return await producer.produce('hello')
}

describe('TLS', () => {
  it('encrypts connections of client and brokers, whose certificate has their name', async () => {
    await using kafka = await start({}, { brokers: 3 })
    expect(await produceOne(kafka)).toMatchObject({ offset: 0 })
    const [seen] = kafka.requests.all({ api: 'Produce' })
    expect(seen).toMatchObject({ principal: 'User:ANONYMOUS' })
  })

  it('is rejected by a client that does not trust the authority', async () => {
    await using kafka = await start()
    await expect(produceOne(kafka, { tls: { ca: stranger.cert } })).rejects.toMatchObject({
      code: 'TLS_HANDSHAKE_FAILED',
      reason: 'UNTRUSTED_CERTIFICATE',
    })
  })

  it('identifies clients by their certificate if it is required', async () => {
    await using kafka = await start({ clientAuth: 'required' })
    const { cert, key } = alice
    await produceOne(kafka, { tls: { ca: authority.cert, cert, key } })
    const [seen] = kafka.requests.all({ api: 'Produce' })
    expect(seen).toMatchObject({ principal: 'User:CN=alice' })
  })

  it('rejects clients without a certificate, or with one of another authority, if it is required', async () => {
    await using kafka = await start({ clientAuth: 'required' })
    await expect(produceOne(kafka)).rejects.toMatchObject({
      reason: 'CLIENT_CERTIFICATE_REQUIRED',
    })
    const { cert, key } = mallory
    await expect(produceOne(kafka, { tls: { ca: authority.cert, cert, key } })).rejects.toThrow()
    expect(kafka.requests.all()).toEqual([])
  })

  it('accepts clients without a certificate if it is requested, but none of another authority', async () => {
    await using kafka = await start({ clientAuth: 'requested' })
    expect(await produceOne(kafka)).toMatchObject({ offset: 0 })
    const { cert, key } = mallory
    await expect(produceOne(kafka, { tls: { ca: authority.cert, cert, key } })).rejects.toThrow()
    expect(kafka.requests.all({ api: 'Produce' })).toHaveLength(1)
  })

  it('closes connections of clients that do not speak it, and nothing else', async () => {
    const errors: unknown[] = []
    await using kafka = await start({}, { onError: (error) => errors.push(error) })
    const inputs = [
      Buffer.from('GET / HTTP/1.1\r\n\r\n'),
      Buffer.from([0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff]),
      // A handshake that breaks off into anything.
      Buffer.concat([Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]), randomBytes(600)]),
    ]
    for (const input of inputs) {
      using raw = await RawClient.open(kafka.ports[0]!)
      raw.write(input)
      await raw.closed
    }
    expect(errors).toHaveLength(inputs.length)
    expect(await produceOne(kafka)).toMatchObject({ offset: 0 })
  })

  it('leaves nothing behind when the cluster stops during a handshake', async () => {
    const kafka = await start()
    using raw = await RawClient.open(kafka.ports[0]!)
    raw.write(Buffer.from([0x16, 3, 1]))
    await kafka.stop()
    await raw.closed
  })

  it.each([
    [{ cert: 'no PEM', key: broker.key }, "option 'cert' must be PEM"],
    [
      { cert: broker.cert, key: alice.key },
      'tls: the certificate, the key or the authorities are not valid',
    ],
  ])('rejects an invalid certificate and key', async (tls, problem) => {
    await expect(EmbeddedCluster.start({ tls })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining(problem),
    })
  })
})

describeWithBrokers('kcat with TLS and login', ['kcat'], () => {
  const sasl = { users: { alice: 'alice-secret' } }

  it.each(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'])('writes and reads with %s', async (name) => {
    await using kafka = await start({}, { sasl })
    const settings = [
      'security.protocol=SASL_SSL',
      `ssl.ca.location=${authority.certFile}`,
      `sasl.mechanism=${name}`,
      'sasl.username=alice',
      'sasl.password=alice-secret',
    ].flatMap((setting) => ['-X', setting])
    const at = [...NO_REMARKS, '-b', kafka.hosts, '-t', 't', ...settings]
    await outputOf(runCommand('kcat', ['-P', ...at], { input: 'one\ntwo\n' }))
    const read = await outputOf(runCommand('kcat', ['-C', '-q', '-e', '-o', 'beginning', ...at]))
    expect(read.toString()).toBe('one\ntwo\n')
  })

  it('writes and reads with OAUTHBEARER', async () => {
    await using kafka = await start({}, { sasl: { validateToken: () => ({ name: 'carol' }) } })
    const settings = [
      'security.protocol=SASL_SSL',
      `ssl.ca.location=${authority.certFile}`,
      'sasl.mechanism=OAUTHBEARER',
      'enable.sasl.oauthbearer.unsecure.jwt=true',
      'sasl.oauthbearer.config=principal=carol',
    ].flatMap((setting) => ['-X', setting])
    const at = [...NO_REMARKS, '-b', kafka.hosts, '-t', 't', ...settings]
    await outputOf(runCommand('kcat', ['-P', ...at], { input: 'one\n' }))
    const read = await outputOf(runCommand('kcat', ['-C', '-q', '-e', '-o', 'beginning', ...at]))
    expect(read.toString()).toBe('one\n')
    expect(kafka.requests.all({ api: 'Produce' })[0]).toMatchObject({ principal: 'User:carol' })
  })

  it('writes and reads with a client certificate', async () => {
    await using kafka = await start({ clientAuth: 'required' })
    const settings = [
      'security.protocol=SSL',
      `ssl.ca.location=${authority.certFile}`,
      `ssl.certificate.location=${alice.certFile}`,
      `ssl.key.location=${alice.keyFile}`,
    ].flatMap((setting) => ['-X', setting])
    const at = [...NO_REMARKS, '-b', kafka.hosts, '-t', 't', ...settings]
    await outputOf(runCommand('kcat', ['-P', ...at], { input: 'one\n' }))
    expect(kafka.requests.all({ api: 'Produce' })[0]).toMatchObject({ principal: 'User:CN=alice' })
  })
})
