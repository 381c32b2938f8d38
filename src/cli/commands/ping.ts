import type { Command } from 'commander'
import type { KafkaClient } from '../../index.ts'
import { DEFAULT_HOSTS } from '../client-properties.ts'
import { declare, duration, option } from '../command.ts'
import { ItemsReportedError, UsageError } from '../failure.ts'
import { ConnectionSteps, reachAddress, timedStep, type Step } from '../connection-steps.ts'
import type { Session } from '../session.ts'
import { count } from '../text.ts'

interface PingOptions {
  readonly topic?: string
  readonly connectTimeout: number
}

interface BrokerAddress {
  readonly broker: number
  readonly host: string
  readonly port: number
}

/** Adds `samsa ping`. */
export function pingCommand(samsa: Command): void {
  declare<PingOptions>(samsa, {
    name: 'ping',
    summary: 'connect to every broker, and report the step at which a connection fails',
    options: [
      option('--topic <name>', 'also send a message to this topic and read it'),
      option('--connect-timeout <duration>', 'time limit of each step')
        .argParser(duration)
        .default(5_000, '5s'),
    ],
    notes:
      'The steps are DNS, TCP, TLS, versions, login, metadata and round trip. If a step fails, a line explains what to do.',
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
  const properties = session.properties()
  const hosts = (properties.get('bootstrap.servers') ?? DEFAULT_HOSTS)
    .split(',')
    .map((host) => host.trim())
    .filter((host) => host !== '')
  if (hosts.length === 0) throw new UsageError('--brokers contains no address')
  let reached: { client: KafkaClient; brokers: readonly BrokerAddress[] } | undefined
  for (const host of hosts) {
    if (!(await reachAddress(host, connectTimeout, steps))) continue
    const client = await session.connect(
      new Map([
        ...properties,
        ['bootstrap.servers', host],
        ['socket.connection.setup.timeout.ms', String(connectTimeout)],
      ]),
    )
    const brokers = await bootstrap(session, client, host, connectTimeout, steps)
    if (brokers !== undefined) reached ??= { client, brokers }
  }
  if (reached !== undefined) {
    const { client, brokers } = reached
    for (const broker of brokers) {
      await pingBroker(session, client, broker, hosts, connectTimeout, steps)
    }
    if (topic !== undefined) {
      await timedStep(`topic ${topic}`, 'produce, consume', steps, () => roundTrip(client, topic))
    }
  }
  report(session, steps)
}

function report(session: Session, steps: readonly Step[]): void {
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

/** Performs the steps of a first connection. Resolves with the brokers of the cluster. */
async function bootstrap(
  session: Session,
  client: KafkaClient,
  host: string,
  timeoutMs: number,
  steps: Step[],
): Promise<readonly BrokerAddress[] | undefined> {
  using connection = new ConnectionSteps(host, session.securityProtocol())
  try {
    const cluster = await client.admin.describeCluster({ ...session.call, timeoutMs })
    const { clusterId, brokers } = cluster
    const detail = `cluster ${clusterId ?? 'without an id'}, ${count(brokers.length, 'broker')}`
    steps.push(...connection.steps(undefined, detail))
    return brokers
  } catch (error) {
    steps.push(...connection.steps(error))
    return undefined
  }
}

/** Tests a broker at its advertised address, and measures a request to it. */
async function pingBroker(
  session: Session,
  client: KafkaClient,
  { broker, host, port }: BrokerAddress,
  bootstrapHosts: readonly string[],
  timeoutMs: number,
  steps: Step[],
): Promise<void> {
  const address = `${host.includes(':') ? `[${host}]` : host}:${port}`
  const name = `${broker} (${address})`
  const call = { ...session.call, timeoutMs }
  if (!bootstrapHosts.includes(address)) {
    const before = steps.length
    if (!(await reachAddress(address, timeoutMs, steps, name))) {
      const hint = `The cluster advertises this address: see advertised.listeners of broker ${broker}`
      steps.splice(before, Infinity, ...steps.slice(before).map((one) => withHint(one, hint)))
      return
    }
  }
  {
    using connection = new ConnectionSteps(address, session.securityProtocol(), name)
    try {
      await client.admin.describeApiVersions(broker, call)
      // The client may have requested metadata, too.
      const taken = connection.steps(undefined)
      steps.push(...taken.filter(({ step }) => step !== 'metadata'))
    } catch (error) {
      steps.push(...connection.steps(error))
      return
    }
  }
  await timedStep(name, 'round trip', steps, async () => {
    await client.admin.describeApiVersions(broker, call)
    return undefined
  })
}

function withHint(step: Step, hint: string): Step {
  if (step.error === undefined) return step
  return { ...step, hint: step.hint === undefined ? hint : `${step.hint}. ${hint}` }
}

async function roundTrip(client: KafkaClient, name: string): Promise<string> {
  const topic = client.topic(name)
  await using producer = await topic.getProducer()
  const { partition, offset } = await producer.produce('samsa ping')
  await using consumer = await topic.getSimpleConsumer({
    partitions: [partition],
  })
  consumer.seek(partition, offset)
  const message = await consumer.consume()
  return `partition ${partition}, offset ${message?.offset}`
}
