import { TestAuthority } from '../../test/support/certificates.ts'
import { startKafka } from '../../test/support/kafka/cluster.ts'
import { secureSettings } from '../../test/support/kafka/secure.ts'
import { stormLibs } from '../../test/support/storm/local-storm.ts'

/** Brokers to measure against. */
export interface Place extends AsyncDisposable {
  readonly hosts: string
  readonly version: string
  /** The ZooKeeper of our own broker, if it has one; undefined for given brokers. */
  readonly zookeeperHosts?: string
  /** Their TLS listeners, and the authority of their certificate. */
  readonly tls?: { readonly hosts: string; readonly caFile: string }
  /** The folder of Storm's jars, where these are needed instead of brokers. */
  readonly stormHome?: string
  /** It was there before, and is there afterwards: nothing of ours may be left in it. */
  readonly isGiven?: true
  /** It serves the last batch of a partition again and again: one fills it. */
  readonly isNull?: true
  /** False once it has ended by itself: then another one has to be started. */
  readonly isAlive: () => boolean
}

/** How long a broker keeps the files of a topic that was deleted: little, the disk is not what is measured. */
const DELETE_DELAY_MS = '1000'

export interface BrokerOptions {
  readonly version: string
  readonly withTls: boolean
  /** Also where the brokers need none. */
  readonly withZooKeeper: boolean
  readonly signal: AbortSignal
  readonly onProgress: (text: string) => void
}

/** A broker of our own, as Kafka is configured by default, and stopped at the end. */
export async function startBroker({
  version,
  withTls,
  withZooKeeper,
  ...options
}: BrokerOptions): Promise<Place> {
  const authority = withTls ? new TestAuthority() : undefined
  const { config = {}, ...secure } =
    authority === undefined ? {} : secureSettings({ version, listeners: ['SSL'], authority })
  try {
    const kafka = await startKafka({
      version,
      // The quick start of the tests is slower afterwards.
      fastStart: false,
      zookeeper: withZooKeeper,
      jvmArguments: ['-Xmx1g'],
      ...secure,
      config: { ...config, 'log.segment.delete.delay.ms': DELETE_DELAY_MS },
      ...options,
    })
    return {
      hosts: kafka.hosts,
      version,
      isAlive: () => kafka.brokerIds.every((id) => kafka.isBrokerAlive(id)),
      ...(kafka.zookeeperHosts === undefined ? {} : { zookeeperHosts: kafka.zookeeperHosts }),
      ...(authority === undefined
        ? {}
        : { tls: { hosts: kafka.secureHosts('SSL'), caFile: authority.certFile } }),
      async [Symbol.asyncDispose]() {
        await kafka.stop()
        authority?.[Symbol.dispose]()
      },
    }
  } catch (error) {
    authority?.[Symbol.dispose]()
    throw error
  }
}

/** Brokers that run already. */
export function existingBrokers(hosts: string): Place {
  return {
    hosts,
    version: 'given by --brokers',
    isGiven: true,
    isAlive: () => true,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

/** Storm's jars: each run starts a Storm of its own. Throws if they cannot be fetched. */
export async function stormJars(): Promise<Place> {
  return {
    hosts: '',
    version: 'no brokers',
    stormHome: process.env['STORM_HOME'] ?? (await stormLibs()),
    isGiven: true,
    isAlive: () => true,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}
