/**
 * The data that brokers write into ZooKeeper, as real brokers of each version do: paths, and the
 * fields in their order.
 */
import type { BrokerInfo } from '../../cluster/brokers.ts'
import type { Partition } from '../../cluster/partition.ts'
import type { Topic } from '../../cluster/topics.ts'
import type { SecurityProtocol } from '../../security/options.ts'
import { isAtLeast } from '../../versions/profiles.ts'
import type { KafkaVersion } from '../../versions/api-tables.ts'

/** Parent nodes, and the version that added each. */
const FOLDERS: readonly (readonly [path: string, since: KafkaVersion])[] = [
  ['/consumers', '0.8.2'],
  ['/brokers/ids', '0.8.2'],
  ['/brokers/topics', '0.8.2'],
  ['/config/changes', '0.8.2'],
  ['/config/topics', '0.8.2'],
  ['/admin/delete_topics', '0.8.2'],
  ['/brokers/seqid', '0.9'],
  ['/config/clients', '0.9'],
  ['/isr_change_notification', '0.9'],
  ['/config/users', '1.1'],
  ['/config/brokers', '1.1'],
  ['/log_dir_event_notification', '1.1'],
  ['/config/ips', '2.8'],
]

export function folders(version: KafkaVersion): readonly string[] {
  return FOLDERS.filter(([, since]) => isAtLeast(version, since)).map(([path]) => path)
}

/** Undefined before 0.10.1 (KIP-78). */
export function clusterIdNode(version: KafkaVersion, id: string): string | undefined {
  return isAtLeast(version, '0.10') ? JSON.stringify({ version: '1', id }) : undefined
}

/** Undefined before 2.7 (KIP-584). */
export function featureNode(version: KafkaVersion): string | undefined {
  if (!isAtLeast(version, '2.8')) return undefined
  return JSON.stringify({ features: {}, version: isAtLeast(version, '3.9') ? 2 : 1, status: 1 })
}

/**
 * `host` and `port` are for clients that support only PLAINTEXT: null and -1 without such a
 * listener.
 */
export function brokerNode(
  version: KafkaVersion,
  broker: BrokerInfo,
  security: SecurityProtocol,
): string {
  const timestamp = String(Date.now())
  const endpoints = [`${security}://${broker.host}:${broker.port}`]
  const { host, port } = security === 'PLAINTEXT' ? broker : { host: null, port: -1 }
  if (!isAtLeast(version, '0.9')) {
    return JSON.stringify({ jmx_port: -1, timestamp, host, version: 1, port })
  }
  if (!isAtLeast(version, '0.10')) {
    return JSON.stringify({ jmx_port: -1, timestamp, endpoints, host, version: 2, port })
  }
  const rack = broker.rack === null ? {} : { rack: broker.rack }
  const listeners = { listener_security_protocol_map: { [security]: security }, endpoints, ...rack }
  return JSON.stringify(
    isAtLeast(version, '2.8')
      ? { features: {}, ...listeners, jmx_port: -1, port, host, version: 5, timestamp }
      : { ...listeners, jmx_port: -1, host, timestamp, port, version: 4 },
  )
}

export function controllerNode(version: KafkaVersion, brokerid: number): string {
  const timestamp = String(Date.now())
  return JSON.stringify(
    isAtLeast(version, '3.9')
      ? { version: 2, brokerid, timestamp, kraftControllerEpoch: -1 }
      : { version: 1, brokerid, timestamp },
  )
}

export function topicNode(version: KafkaVersion, { id, partitions: all }: Topic): string {
  const partitions = Object.fromEntries(all.map(({ index, replicas }) => [index, replicas]))
  return JSON.stringify(
    isAtLeast(version, '2.8')
      ? { partitions, topic_id: id, adding_replicas: {}, removing_replicas: {}, version: 3 }
      : { version: 1, partitions },
  )
}

export function topicConfigNode({ config }: Topic): string {
  return JSON.stringify({ version: 1, config: Object.fromEntries(config.overrides) })
}

export function stateNode(
  { leader, leaderEpoch, isr }: Partition,
  controllerEpoch: number,
): string {
  return JSON.stringify({
    controller_epoch: controllerEpoch,
    leader,
    version: 1,
    leader_epoch: leaderEpoch,
    isr,
  })
}
