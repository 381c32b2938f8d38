/**
 * Packages that depend on kafkajs, over the alias package: programs that run with kafkajs from npm and with
 * packages/kafkajs, and have to report the same (`npm run test:kafkajs-packages`; it installs packages from npm).
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { metadata } from '../../protocol/apis/metadata.ts'
import { saslAuthenticate } from '../../protocol/apis/sasl-authenticate.ts'
import { saslHandshake } from '../../protocol/apis/sasl-handshake.ts'
import { ErrorCode } from '../../protocol/index.ts'
import { EmbeddedCluster } from '../../src/embedded/index.ts'
import { FakeBroker } from '../support/fake-broker.ts'
import { startLocalCluster } from '../support/kafka/cluster.ts'
import { Applications } from '../support/kafkajs/packages.ts'
import { describeWithBrokers } from '../support/real-brokers.ts'

const applications = new Applications()

beforeAll(() => applications.install())

afterAll(() => applications[Symbol.dispose]())

async function both(program: string, env: Readonly<Record<string, string>>) {
  const theirs = await applications.run('kafkajs', program, env)
  const ours = await applications.run('samsa', program, env)
  return { theirs, ours }
}

/** The programs that need nothing but brokers. */
const PROGRAMS = [
  ['microservices of NestJS answer requests and handle events', 'nestjs'],
  ["OpenTelemetry's instrumentation makes the same spans", 'opentelemetry'],
  ['messages are compressed and read with kafkajs-snappy registered', 'codecs'],
  ['a Prometheus exporter measures the same', 'prometheus'],
] as const

describe('the alias package', () => {
  it('satisfies what other packages ask of kafkajs, so that there is one kafkajs', () => {
    const modules = join(applications.folderOf('samsa'), 'node_modules')
    const exporter = '@christiangalsterer/kafkajs-prometheus-exporter'
    const installed: unknown = JSON.parse(
      readFileSync(join(modules, 'kafkajs/package.json'), 'utf8'),
    )
    expect(installed).toMatchObject({ name: 'kafkajs-samsa' })
    expect(existsSync(join(modules, exporter, 'node_modules/kafkajs'))).toBe(false)
  })
})

describe('on the embedded cluster', () => {
  let cluster: EmbeddedCluster

  beforeAll(async () => {
    cluster = await EmbeddedCluster.start()
  })

  afterAll(() => cluster.stop())

  it.each(PROGRAMS)('%s', async (_, program) => {
    const { theirs, ours } = await both(program, { BROKERS: cluster.hosts })
    expect(ours).toEqual(theirs)
  })
})

describeWithBrokers('on Kafka 3.9.1', ['java'], () => {
  let cluster: Awaited<ReturnType<typeof startLocalCluster>>

  beforeAll(async () => {
    cluster = await startLocalCluster({ version: '3.9.1', brokers: 1 })
  })

  afterAll(() => cluster.stop())

  it.each(PROGRAMS)('%s', async (_, program) => {
    const { theirs, ours } = await both(program, { BROKERS: cluster.hosts })
    expect(ours).toEqual(theirs)
  })
})

describe('a broker of Amazon MSK', () => {
  it('gets the same logins by its mechanism and by bearer tokens', async () => {
    await using broker = await FakeBroker.start()
    const logins: string[] = []
    speakIam(broker, logins)
    const tokens: string[] = []
    const bearer = await EmbeddedCluster.start({
      sasl: {
        validateToken: ({ value }) => {
          tokens.push(shapeOfToken(value))
          return { name: 'ann' }
        },
      },
    })
    try {
      const env = { BROKERS: bearer.hosts, IAM_BROKER: broker.name, BEARER_BROKER: bearer.hosts }
      const theirs = await applications.run('kafkajs', 'msk', env)
      const theirLogins = [...new Set(logins.splice(0))]
      const theirTokens = [...new Set(tokens.splice(0))]
      const ours = await applications.run('samsa', 'msk', env)
      expect(ours).toEqual(theirs)
      expect([...new Set(logins)]).toEqual(theirLogins)
      expect([...new Set(tokens)]).toEqual(theirTokens)
      expect(theirLogins.length).toBe(2)
      expect(theirTokens.length).toBe(1)
    } finally {
      await bearer.stop()
    }
  })
})

/** Takes logins by AWS_MSK_IAM, which it adds to `logins` without what differs in each, and has one topic. */
function speakIam(broker: FakeBroker, logins: string[]): void {
  broker.handle(saslHandshake, ({ mechanism }) => ({
    errorCode: mechanism === 'AWS_MSK_IAM' ? ErrorCode.NONE : ErrorCode.UNSUPPORTED_SASL_MECHANISM,
    mechanisms: ['AWS_MSK_IAM'],
  }))
  broker.handle(saslAuthenticate, ({ authBytes }) => {
    const login = JSON.parse(Buffer.from(authBytes).toString()) as Record<string, string>
    const isRefused = login['user-agent'] === 'refuse me'
    const { 'x-amz-date': date, 'x-amz-signature': signature, ...rest } = login
    logins.push(JSON.stringify({ ...rest, isSigned: Boolean(date && signature) }))
    const answer = { version: '2020_10_22', 'request-id': 'id' }
    return {
      errorCode: isRefused ? ErrorCode.SASL_AUTHENTICATION_FAILED : ErrorCode.NONE,
      errorMessage: isRefused ? 'Access denied' : null,
      authBytes: isRefused ? Buffer.alloc(0) : Buffer.from(JSON.stringify(answer)),
      sessionLifetimeMs: 0n,
    }
  })
  broker.handle(metadata, () => ({
    brokers: [{ nodeId: 0, ...broker.address }],
    clusterId: 'msk',
    controllerId: 0,
    topics: [
      {
        errorCode: ErrorCode.NONE,
        name: 'orders',
        partitions: [
          {
            errorCode: ErrorCode.NONE,
            partitionIndex: 0,
            leaderId: 0,
            replicaNodes: [0],
            isrNodes: [0],
          },
        ],
      },
    ],
  }))
}

/** A bearer token of MSK is a signed URL in base64: its parameters, without the values that differ in each. */
function shapeOfToken(token: string): string {
  const url = new URL(Buffer.from(token, 'base64url').toString())
  return `${url.host} ${[...url.searchParams.keys()].sort().join()}`
}
