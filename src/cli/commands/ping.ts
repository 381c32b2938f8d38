import type { Command } from 'commander'
import { lookup } from 'node:dns/promises'
import { connect } from 'node:net'
import type { KafkaClient } from '../../index.ts'
import { declare, duration, option } from '../command.ts'
import { ItemsReportedError } from '../failure.ts'
import type { Session } from '../session.ts'
import { count } from '../text.ts'

interface PingOptions {
  readonly topic?: string
  readonly connectTimeout: number
}

interface Step {
  readonly broker: string
  readonly step: string
  readonly tookMs?: number
  readonly detail?: string
  readonly error?: string
  /** What to do about the error. */
  readonly hint?: string
}

/** Adds `samsa ping`. */
export function pingCommand(samsa: Command): void {
  declare<PingOptions>(samsa, {
    name: 'ping',
    summary: 'connect to every broker, and say at which step a connection fails',
    options: [
      option('--topic <name>', 'send a message to this topic and read it, too'),
      option('--connect-timeout <duration>', 'of each step')
        .argParser(duration)
        .default(5_000, '5s'),
    ],
    examples: ['samsa ping', 'samsa ping --brokers kafka1:9092 --json', 'samsa ping --topic test'],
    run: ping,
  })
}

async function ping(
  session: Session,
  _args: readonly string[],
  { topic, connectTimeout }: PingOptions,
): Promise<void> {
  const steps: Step[] = []
  const hosts = (session.properties().get('bootstrap.servers') ?? '127.0.0.1:9092').split(',')
  const reachable = await Promise.all(
    hosts.map((host) => reach(host.trim(), connectTimeout, steps)),
  )
  if (reachable.some(Boolean)) await pingBrokers(session, connectTimeout, topic, steps)
  session.print(
    steps,
    [
      { title: 'BROKER', of: ({ broker }) => broker },
      { title: 'STEP', of: ({ step }) => step },
      {
        title: 'MS',
        align: 'right',
        of: ({ tookMs }) => (tookMs === undefined ? '' : tookMs.toFixed(1)),
      },
      {
        title: 'RESULT',
        of: ({ error, detail }) => (error === undefined ? (detail ?? 'ok') : `failed: ${error}`),
      },
    ],
    steps,
  )
  const failed = steps.filter(({ error }) => error !== undefined)
  if (failed.length === 0) return
  for (const { broker, step, error, hint } of failed) {
    session.say(`${broker}: ${step} failed: ${error}${hint === undefined ? '' : `. ${hint}`}`)
  }
  throw new ItemsReportedError('ping failed')
}

/** The first two steps of a bootstrap address, before Kafka's protocol. */
async function reach(host: string, timeoutMs: number, steps: Step[]): Promise<boolean> {
  const match = /^\[?(.+?)\]?:(\d{1,5})$/.exec(host) ?? [host, host, '9092']
  const [, name, port] = match
  const resolved = await timed(host, 'DNS', steps, async () => {
    const { address } = await lookup(name)
    return address
  })
  if (!resolved) return false
  return timed(host, 'TCP', steps, async () => {
    await connected(name, Number(port), timeoutMs)
    return undefined
  })
}

async function connected(host: string, port: number, timeoutMs: number): Promise<void> {
  const socket = connect({ host, port })
  try {
    await new Promise<void>((resolve, reject) => {
      socket.setTimeout(timeoutMs, () => {
        const error = new Error(`no response within ${timeoutMs} ms`)
        reject(Object.assign(error, { code: 'ETIMEDOUT' }))
      })
      socket.once('connect', resolve)
      socket.once('error', reject)
    })
  } finally {
    socket.destroy()
  }
}

/** The steps of each broker that the cluster names: TLS, login and the versions of APIs are in the first request. */
async function pingBrokers(
  session: Session,
  timeoutMs: number,
  topic: string | undefined,
  steps: Step[],
): Promise<void> {
  const client = await session.client()
  const call = { ...session.call, timeoutMs }
  const where = 'cluster'
  let brokers: readonly {
    readonly broker: number
    readonly host: string
    readonly port: number
  }[] = []
  const found = await timed(where, 'TLS, login, versions, metadata', steps, async () => {
    const cluster = await client.admin.describeCluster(call)
    brokers = cluster.brokers
    return `cluster ${cluster.clusterId ?? 'without an id'}, ${count(brokers.length, 'broker')}`
  })
  if (!found) return
  for (const { broker, host, port } of brokers) {
    await timed(`${broker} (${host}:${port})`, 'connect, request', steps, async () => {
      await client.admin.describeApiVersions(broker, call)
      return undefined
    })
    await timed(`${broker} (${host}:${port})`, 'round trip', steps, async () => {
      await client.admin.describeApiVersions(broker, call)
      return undefined
    })
  }
  if (topic !== undefined) {
    await timed(`topic ${topic}`, 'produce, consume', steps, () => roundTrip(client, topic))
  }
}

async function roundTrip(client: KafkaClient, name: string): Promise<string> {
  const topic = client.topic(name)
  await using producer = await topic.getProducer()
  const { partition, offset } = await producer.produce('samsa ping')
  await using consumer = await topic.getSimpleConsumer({
    partitions: [partition],
    autoOffsetReset: offset,
  })
  const message = await consumer.consume()
  return `partition ${partition}, offset ${message?.offset}`
}

/** Runs a step. Resolves with whether it succeeded. */
async function timed(
  broker: string,
  step: string,
  steps: Step[],
  run: () => Promise<string | undefined>,
): Promise<boolean> {
  const startedAt = performance.now()
  const took = () => performance.now() - startedAt
  try {
    const detail = await run()
    steps.push({ broker, step, tookMs: took(), ...(detail === undefined ? {} : { detail }) })
    return true
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    const hint = hintFor(error)
    steps.push({
      broker,
      step,
      tookMs: took(),
      error: message,
      ...(hint === undefined ? {} : { hint }),
    })
    return false
  }
}

const HINTS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'The name does not resolve: check --brokers and the DNS of this machine',
  EAI_AGAIN: 'The DNS server does not respond: check the network of this machine',
  ECONNREFUSED: 'Nothing listens there: check the port, and whether the broker runs',
  ETIMEDOUT: 'Nothing answers there: check firewalls and the listener of the broker',
  EHOSTUNREACH: 'There is no way to that address: check the network and the VPN',
  SASL_AUTHENTICATION_FAILED: 'Check the user, the password and the mechanism',
  UNSUPPORTED_SASL_MECHANISM: 'The broker takes another mechanism: see --mechanism',
  NOT_KAFKA: 'Check the port: what answers there is not a broker, or wants TLS (--tls)',
}

function hintFor(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (Object.hasOwn(HINTS, code)) return HINTS[code]
  const cause = error instanceof Error ? error.cause : undefined
  return cause === undefined ? undefined : hintFor(cause)
}
