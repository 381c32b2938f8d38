import type { KafkaVersion } from './versions.ts'

export type SecureListener = 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL'

/** One process of a cluster: a broker (with or without the controller in it), or the controller. */
export interface NodePlan {
  readonly id: number
  readonly roles: readonly ('broker' | 'controller')[]
  readonly port: number
  readonly securePorts: ReadonlyMap<SecureListener, number>
  readonly controllerPort: number | undefined
}

export interface ClusterPlan {
  readonly version: KafkaVersion
  readonly brokerCount: number
  readonly nodes: readonly NodePlan[]
  readonly zookeeperPort: number | undefined
  /** Such as `/kafka`, where the brokers register; they create it. Empty for none. */
  readonly zookeeperChroot: string
  /** Whether the voters of the quorum are in its log instead of the properties (KIP-853). */
  readonly hasDynamicQuorum: boolean
  /** KRaft's `id@host:port`. */
  readonly voter: string | undefined
}

type Properties = Record<string, string | number | boolean>

export function serverProperties(
  cluster: ClusterPlan,
  node: NodePlan,
  dataFolder: string,
  config: Readonly<Record<string, string>>,
): string {
  const all: Properties = {
    'log.dirs': dataFolder,
    ...forSmallMachines(),
    ...replication(cluster.brokerCount),
    ...listeners(cluster, node),
    ...(cluster.version.coordination === 'kraft' ? kraft(cluster, node) : zooKeeper(cluster, node)),
    ...config,
  }
  return Object.entries(all)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('')
}

function forSmallMachines(): Properties {
  return {
    'num.network.threads': 2,
    'num.io.threads': 4,
    // 128 MiB by default, all of it taken at the start.
    'log.cleaner.dedupe.buffer.size': 4 << 20,
    // Each partition is files to be made: 50 are a second at the first use of a group.
    'offsets.topic.num.partitions': 5,
    'transaction.state.log.num.partitions': 5,
    'share.coordinator.state.topic.num.partitions': 5,
    // A first member need not wait for others to come.
    'group.initial.rebalance.delay.ms': 0,
    'controlled.shutdown.retry.backoff.ms': 200,
  }
}

function replication(brokerCount: number): Properties {
  const factor = Math.min(3, brokerCount)
  const inSync = Math.min(2, factor)
  return {
    'offsets.topic.replication.factor': factor,
    'transaction.state.log.replication.factor': factor,
    'transaction.state.log.min.isr': inSync,
    'share.coordinator.state.topic.replication.factor': factor,
    'share.coordinator.state.topic.min.isr': inSync,
  }
}

function listeners({ version }: ClusterPlan, node: NodePlan): Properties {
  const forClients = [...(node.roles.includes('broker') ? [['PLAINTEXT', node.port]] : [])]
  for (const [name, port] of node.securePorts) forClients.push([name, port])
  const text = (list: (string | number)[][]) =>
    list.map(([name, port]) => `${name}://127.0.0.1:${port}`).join(',')
  const controller = node.controllerPort === undefined ? [] : [['CONTROLLER', node.controllerPort]]
  const legacy: Properties = {
    port: node.port,
    'host.name': '127.0.0.1',
    'advertised.host.name': '127.0.0.1',
    'advertised.port': node.port,
  }
  return {
    ...(version.namesHostAndPort ? legacy : {}),
    listeners: text([...forClients, ...controller]),
    // A controller alone advertises no listener.
    ...(forClients.length > 0 ? { 'advertised.listeners': text(forClients) } : {}),
  }
}

/** A dead broker should be noticed soon, and a broker on a busy machine should not count as dead. */
const SESSION_TIMEOUT_MS = 6_000

function zooKeeper({ zookeeperPort, zookeeperChroot }: ClusterPlan, { id }: NodePlan): Properties {
  return {
    'broker.id': id,
    'zookeeper.connect': `127.0.0.1:${zookeeperPort}${zookeeperChroot}`,
    'zookeeper.session.timeout.ms': SESSION_TIMEOUT_MS,
    'zookeeper.connection.timeout.ms': 20_000,
  }
}

function kraft({ voter = '', hasDynamicQuorum }: ClusterPlan, node: NodePlan): Properties {
  const protocols = ['CONTROLLER:PLAINTEXT', 'PLAINTEXT:PLAINTEXT']
  for (const name of node.securePorts.keys()) protocols.push(`${name}:${name}`)
  return {
    'node.id': node.id,
    'process.roles': node.roles.join(','),
    ...(hasDynamicQuorum
      ? { 'controller.quorum.bootstrap.servers': voter.slice(voter.indexOf('@') + 1) }
      : { 'controller.quorum.voters': voter }),
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': protocols.join(','),
    'broker.session.timeout.ms': SESSION_TIMEOUT_MS,
    'broker.heartbeat.interval.ms': 500,
  }
}
