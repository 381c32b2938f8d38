export { EmbeddedCluster } from './embedded-cluster.ts'
export { EmbeddedClusterError, type EmbeddedClusterErrorCode } from './embedded-cluster-error.ts'
export { KAFKA_VERSIONS } from './versions/profiles.ts'
export type {
  EmbeddedClusterOptions,
  EmbeddedListenerOptions,
  EmbeddedTopicOptions,
} from './options.ts'
export type {
  EmbeddedSaslOptions,
  EmbeddedTlsOptions,
  MechanismPasswords,
  PemContent,
} from './security/options.ts'
export type { PresentedToken, TokenOwner, TokenValidator } from './security/oauthbearer.ts'
export type { SaslMechanismName } from './security/sasl-mechanism.ts'
export type { KafkaVersion } from './versions/api-tables.ts'
export type { Fault, FaultAction, FaultMatch, Faults } from './faults/faults.ts'
export type { ProducerIdAndEpoch } from './log/marker.ts'
export type { ThrottleOptions } from './faults/throttles.ts'
export type { RequestFilter, RequestLog, SeenRequest } from './server/request-log.ts'
export type { PushedMetrics } from './telemetry/client-metrics.ts'
export type { PushedMetric } from './telemetry/otlp.ts'
export type { ApiName } from './api/api-names.ts'
export { EmbeddedZooKeeper } from './zookeeper/embedded-zookeeper.ts'
export type {
  LocalSession,
  SessionId,
  ZooKeeperNode,
  ZooKeeperSession,
} from './zookeeper/embedded-zookeeper.ts'
export type {
  ZooKeeperFaultAction,
  ZooKeeperFaultMatch,
  ZooKeeperFaults,
} from './zookeeper/faults.ts'
export type { AclEntry } from './zookeeper/tree/acl.ts'
export type { NodeStat } from './zookeeper/tree/node.ts'
export type { Operation as ZooKeeperOperation } from './zookeeper/operations.ts'
export type { KeeperErrorName as ZooKeeperErrorName } from './zookeeper/error-codes.ts'
export type { EmbeddedZooKeeperOptions } from './zookeeper/options.ts'
export type { EmbeddedAuthorizerOptions } from './authorization/authorizer.ts'
