/** What a cluster's options come to: its brokers, how they listen, and the configs that they have. */
import type { EmbeddedClusterOptions } from './options.ts'
import { saslServer } from './security/sasl-server.ts'
import type { ListenerPlan } from './server/broker.ts'

const DEFAULT_REPLICATION_FACTOR = 3
const QUEUED_MAX_REQUEST_BYTES = 256 * 1024 * 1024

export function brokerIdsOf({ brokers, brokerIds }: EmbeddedClusterOptions): readonly number[] {
  return brokerIds ?? Array.from({ length: brokers ?? 1 }, (_, index) => index + 1)
}

/** Of the broker at an index. The first has no name: it is the one that `ports`, `tls` and `sasl` are about. */
export function listenerPlans(
  { ports, tls, sasl, listeners = {} }: EmbeddedClusterOptions,
  index: number,
): readonly ListenerPlan[] {
  const named = Object.entries({ '': { ports, tls, sasl }, ...listeners })
  return named.map(([name, own]) => ({
    name,
    port: own.ports?.[index] ?? 0,
    tls: own.tls,
    sasl: own.sasl && saslServer(own.sasl),
  }))
}

export function replicationFactorOf(options: EmbeddedClusterOptions): number {
  const { defaultReplicationFactor = DEFAULT_REPLICATION_FACTOR } = options
  return Math.min(defaultReplicationFactor, brokerIdsOf(options).length)
}

export function queuedMaxRequestBytesOf({ queuedMaxRequestBytes }: EmbeddedClusterOptions): number {
  return queuedMaxRequestBytes ?? QUEUED_MAX_REQUEST_BYTES
}

/** By Kafka's names. */
export function brokerConfigOf(options: EmbeddedClusterOptions): ReadonlyMap<string, string> {
  const { groupInitialRebalanceDelayMs = 0 } = options
  const values = {
    'auto.create.topics.enable': options.autoCreateTopics,
    'num.partitions': options.defaultPartitions,
    'default.replication.factor': replicationFactorOf(options),
    'group.initial.rebalance.delay.ms': groupInitialRebalanceDelayMs,
    'group.min.session.timeout.ms': options.groupMinSessionTimeoutMs,
    'queued.max.request.bytes': queuedMaxRequestBytesOf(options),
  }
  return new Map(
    Object.entries(values).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, String(value)]],
    ),
  )
}
