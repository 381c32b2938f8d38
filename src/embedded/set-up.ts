/**
 * The setup that follows from a cluster's options: its brokers, their listeners, and their configs.
 */
import type { ClusterSettings, EmbeddedClusterOptions } from './options.ts'
import { Authorizer } from './authorization/authorizer.ts'
import { ClientQuotas } from './quotas/client-quotas.ts'
import type { ClusterSecurity } from './security/cluster-security.ts'
import { DelegationTokens } from './security/delegation-tokens.ts'
import { passwordsFor } from './security/options.ts'
import { saslServer } from './security/sasl-server.ts'
import type { ScramDirectory } from './security/scram.ts'
import { ScramCredentials } from './security/scram-credentials.ts'
import type { ListenerPlan } from './server/broker.ts'
import type { ClusterStorage } from './storage/cluster-storage.ts'

export function brokerIdsOf({ brokers, brokerIds }: EmbeddedClusterOptions): readonly number[] {
  return brokerIds ?? Array.from({ length: brokers ?? 1 }, (_, index) => index + 1)
}

/**
 * The listeners of the broker at an index. The first has no name: `ports`, `tls` and `sasl` define
 * it.
 */
export function listenerPlans(
  { ports, tls, sasl, listeners = {} }: EmbeddedClusterOptions,
  index: number,
  directory: ScramDirectory,
): readonly ListenerPlan[] {
  const named = Object.entries({ '': { ports, tls, sasl }, ...listeners })
  return named.map(([name, own]) => ({
    name,
    port: own.ports?.[index] ?? 0,
    tls: own.tls,
    sasl: own.sasl && saslServer(own.sasl, directory),
  }))
}

/** Authorization, quotas and logins of a cluster. */
export function securityOf(
  options: EmbeddedClusterOptions,
  storage: ClusterStorage,
): ClusterSecurity {
  const { sasl, listeners = {}, authorizer, delegationTokenSecretKey } = options
  const scramMechanisms = ['SCRAM-SHA-256', 'SCRAM-SHA-512'] as const
  const given = [sasl, ...Object.values(listeners).map((own) => own.sasl)].flatMap((own) =>
    own === undefined
      ? []
      : scramMechanisms.flatMap((mechanism) =>
          [...passwordsFor(mechanism, own).keys()].map((user) => ({ user, mechanism })),
        ),
  )
  return {
    authorizer: new Authorizer(authorizer, storage),
    quotas: new ClientQuotas(storage),
    scramCredentials: new ScramCredentials(given, storage),
    delegationTokens: new DelegationTokens(delegationTokenSecretKey, storage),
  }
}

export function replicationFactorOf(settings: ClusterSettings): number {
  return Math.min(settings.defaultReplicationFactor, brokerIdsOf(settings).length)
}

/** Whether a broker has a plugin for the metrics of clients. */
export function receivesMetrics({ clientMetrics }: ClusterSettings): (broker: number) => boolean {
  return (broker) =>
    typeof clientMetrics === 'boolean' ? clientMetrics : clientMetrics.includes(broker)
}

/** The brokers' configs that the options set, by Kafka's names; the others have the defaults of the presented Kafka. */
export function brokerConfigOf(
  given: EmbeddedClusterOptions,
  settings: ClusterSettings,
): ReadonlyMap<string, string> {
  const values = {
    'auto.create.topics.enable': given.autoCreateTopics,
    'num.partitions': given.defaultPartitions,
    'default.replication.factor': replicationFactorOf(settings),
    'group.initial.rebalance.delay.ms': settings.groupInitialRebalanceDelayMs,
    'group.min.session.timeout.ms': given.groupMinSessionTimeoutMs,
    'group.consumer.session.timeout.ms': given.groupConsumerSessionTimeoutMs,
    'group.consumer.heartbeat.interval.ms': given.groupConsumerHeartbeatIntervalMs,
    'group.consumer.max.size': given.groupConsumerMaxSize,
    'group.share.record.lock.duration.ms': given.shareRecordLockMs,
    'group.share.delivery.count.limit': given.shareDeliveryCountLimit,
    'queued.max.request.bytes': settings.queuedMaxRequestBytes,
  }
  return new Map(
    Object.entries(values).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, String(value)]],
    ),
  )
}
