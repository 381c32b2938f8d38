export { KafkaClient } from './client.ts'
export type { MetricsOptions } from './client.ts'
export type { KafkaClientOptions } from './client-options.ts'
export type { DnsLookup } from './cluster/bootstrap.ts'
export type { Address } from './network/address.ts'
export type { Pem, TlsOptions } from './network/tls.ts'
export type { OAuthBearerOptions, SaslOptions } from './network/sasl/options.ts'
export type { AwsCredentialsProvider, AwsMskIamOptions } from './network/sasl/aws-msk-iam.ts'
export type { PlainOptions } from './network/sasl/plain.ts'
export type { ScramName, ScramOptions } from './network/sasl/scram.ts'
export type { Secret } from './network/sasl/secret.ts'
export type { SaslContext, SaslExchange, SaslMechanism } from './network/sasl/mechanism.ts'
export type { OAuthBearerToken, TokenProvider } from './network/sasl/oauthbearer-token.ts'
export type { OidcOptions } from './network/sasl/oidc.ts'
export type { AwsCredentials } from './network/sasl/sigv4.ts'
export type { SocketFactory } from './network/transport.ts'
export type { Logger } from './observe/logger.ts'
export { metricRates, type MetricRate } from './observe/metrics/rates.ts'
export type { ClientHealth, HealthCode, HealthReason } from './observe/metrics/health.ts'
export type { ApplicationMetric } from './observe/telemetry/application-metrics.ts'
export { METRICS } from './observe/metrics/catalog.ts'
export type {
  MetricDeclaration,
  MetricLabel,
  MetricName,
  MetricUnit,
} from './observe/metrics/catalog.ts'
export type { HistogramBucket } from './observe/metrics/histogram.ts'
export type {
  ClientMetricsSnapshot,
  HistogramMetric,
  HistogramSample,
  Metric,
  MetricLabels,
  NumberMetric,
  NumberSample,
} from './observe/metrics/snapshot.ts'
export type {
  BatchTrace,
  HandleTrace,
  ProduceTrace,
  TracedHeader,
  TracedMessage,
} from './observe/tracing.ts'
export type {
  AcknowledgeEvent,
  ClientCreatedEvent,
  ClientEvent,
  DeadLetterEvent,
  CloseEvent,
  CommitEvent,
  ConnectEvent,
  FetchEvent,
  HeartbeatEvent,
  ProcessEvent,
  OffsetOfPartition,
  ThrottleEvent,
  GroupEvent,
  GroupJoinedEvent,
  GroupRebalancingEvent,
  PositionEvent,
  RequestEvent,
  RetryEvent,
  DeliveryEvent,
  RebalanceEvent,
  PartitionOfGroup,
} from './observe/channels.ts'
export type { Acl, AclFilter, AclPermission, AclResourceType, NewAcl } from './admin/acl.ts'
export type { CreatedAcl, DeletedAcl, DeletedAcls } from './admin/acls.ts'
export type { Admin } from './admin/admin.ts'
export type {
  ApiVersionRange,
  BrokerDescription,
  ClusterDescription,
  DescribeClusterOptions,
  DescribeFeaturesOptions,
  FeatureDescription,
} from './admin/cluster.ts'
export type {
  AlterConfigsOptions,
  ConfigChange,
  ConfigEntry,
  ConfigResource,
  ConfigResourceType,
  ConfigSource,
  ConfigSynonym,
  ConfigType,
  DescribeConfigsOptions,
  ResourceConfigs,
  ResourceResult,
} from './admin/configs.ts'
export type { ChangeOptions } from './admin/context.ts'
export type { ElectedLeader, ElectionType } from './admin/elections.ts'
export type {
  FeatureResult,
  FeatureUpdate,
  FeatureUpgradeType,
  UpdateFeaturesOptions,
} from './admin/features.ts'
export type {
  GroupDescription,
  GroupMemberDescription,
  GroupType,
} from './admin/group-description.ts'
export type { OffsetToSet } from './admin/group-offsets.ts'
export type {
  GroupOffset,
  GroupOffsets,
  GroupPartitions,
  ListGroupOffsetsOptions,
} from './admin/list-group-offsets.ts'
export type {
  StreamsMember,
  StreamsSubtopology,
  StreamsTaskList,
  StreamsTaskOffset,
  StreamsTasks,
  StreamsTopic,
  StreamsTopology,
  StreamsTopologyDescription,
  StreamsTopologyNode,
} from './admin/streams-group.ts'
export type { DeletedTopicId, DescribedTopicId } from './admin/topics-by-id.ts'
export type { GroupResult, RemovedMember, RemoveMembersOptions } from './admin/groups.ts'
export type {
  FindHangingTransactionsOptions,
  HangingTransaction,
  HangingTransactions,
} from './admin/hanging-transactions.ts'
export { ItemsFailedError, type Item } from './admin/items.ts'
export type { GroupLag, LagOptions, PartitionLag } from './admin/lag.ts'
export type { DescribeGroupsOptions } from './admin/described-group.ts'
export type { GroupList, ListedGroup, ListGroupsOptions } from './admin/list-groups.ts'
export type {
  BrokerLogDirs,
  DescribeLogDirsOptions,
  LogDirDescription,
  LogDirReplica,
  PartitionReplica,
  ReplicaLogDir,
  ReplicaMove,
  ReplicaResult,
} from './admin/log-dirs.ts'
export type { AclOperation } from './admin/operations.ts'
export type { PartitionResult } from './admin/partitions.ts'
export type {
  AdminPlan,
  OffsetResetPlan,
  OffsetResetRequest,
  OffsetResetTarget,
  PlannedMove,
  PlannedOffset,
  ReassignmentPlan,
  ReassignmentRequest,
} from './admin/plans.ts'
export type {
  DescribeProducersOptions,
  OpenTransaction,
  PartitionProducers,
  ProducerState,
} from './admin/producers.ts'
export type {
  MetadataQuorum,
  NewRaftVoter,
  QuorumNode,
  QuorumReplica,
  RaftListener,
  RaftVoter,
  RaftVoterOptions,
} from './admin/quorum.ts'
export type {
  AlterReassignmentsOptions,
  NewReassignment,
  PartitionReassignment,
} from './admin/reassignments.ts'
export type {
  AlterQuotasOptions,
  ClientQuotas,
  QuotaChange,
  QuotaChangeResult,
  QuotaEntity,
  QuotaFilter,
} from './admin/quotas.ts'
export type {
  DeletedRecords,
  ListedOffset,
  ListOffsetsOptions,
  OffsetPosition,
  RecordsToDelete,
} from './admin/records.ts'
export type {
  CreateTokenOptions,
  DelegationToken,
  DescribeTokenOptions,
  ExpireTokenOptions,
  RenewTokenOptions,
  TokenExpiry,
} from './admin/tokens.ts'
export type {
  ShareGroupOffset,
  ShareGroupOffsets,
  ShareGroupOffsetToSet,
} from './admin/share-group-offsets.ts'
export type { DescribeTopicsOptions } from './admin/describe-topics.ts'
export type { PartitionDescription, TopicDescription } from './admin/topic-description.ts'
export type {
  CreatedTopic,
  CreatePartitionsOptions,
  CreateTopicsOptions,
  DeleteTopicsOptions,
  ListTopicsOptions,
  NewPartitions,
  NewTopic,
  TopicChangeOptions,
  TopicResult,
} from './admin/topics.ts'
export type {
  ScramAlteration,
  ScramAlterationResult,
  ScramCredentialInfo,
  ScramDeletion,
  ScramUpsertion,
  UserScramCredentials,
} from './admin/users.ts'
export type {
  FencedProducer,
  ListedTransaction,
  ListTransactionsOptions,
  TransactionDescription,
  TransactionList,
} from './admin/transactions.ts'
export type { BrokerFailure } from './cluster/fan-out.ts'

export { Topic, type TopicCreateOptions } from './topic.ts'
export { Topics, type TopicListOptions } from './topics.ts'
export { Brokers, ClusterBroker } from './brokers.ts'
export { KafkaCluster, type CoordinatorOptions } from './kafka-cluster.ts'
export { Partition } from './partition.ts'
export type { OffsetLimitsOptions } from './offset-at.ts'
export {
  decidePartitionsRange,
  decidePartitionsRoundrobin,
  pykafkaMembershipProtocol,
  pykafkaPartitioner,
  pykafkaRebalanceCallback,
  type PykafkaDecidePartitions,
} from './pykafka.ts'
export type { Iteration } from './async/iteration.ts'
export type { CallOptions } from './call-options.ts'
export type { RequestOptions } from './request.ts'
export type { CoordinatorKind } from './cluster/target.ts'
export type { BrokerTarget, Target } from './cluster/target.ts'
export type { PartitionMetadata } from './cluster/metadata.ts'

export { Producer } from './producer/producer.ts'
export { MultiTopicProducer, type TopicMessage } from './producer/multi-topic-producer.ts'
export type { ForwardingOptions, BaseProducer } from './producer/base-producer.ts'
export type {
  KeyOrOptions,
  MessageSource,
  OutgoingMessage,
  ProduceOptions,
} from './producer/intake/outgoing-message.ts'
export { TransactionalProducer } from './producer/transactions/transactional-producer.ts'
export {
  Transaction,
  type OffsetsOfGroup,
  type OffsetSource,
} from './producer/transactions/transaction.ts'
export type { TransactionalProducerOptions } from './producer/transactions/options.ts'
export type { TransactionOffset } from './producer/transactions/coordinator.ts'
export {
  ProducerFencedError,
  TransactionError,
  type TransactionErrorCode,
} from './producer/transactions/errors.ts'
export type { ProducerOptions, Serializer } from './producer/options.ts'
export type { RecordMetadata } from './producer/results/delivery-promise.ts'
export type { OffsetRange, ProduceManyResult } from './producer/results/message-group.ts'
export type { DeliveryReport, ProducedMessage } from './producer/results/reports.ts'
export type { WaitOptions } from './async/waiting.ts'
export type { Data, HeadersInit } from './producer/intake/serialize.ts'
export {
  groupHashingPartitioner,
  hashingPartitioner,
  murmur2Partitioner,
  randomPartitioner,
  type HashFunction,
  type Partitioner,
} from './producer/intake/partitioners.ts'
export type { Compression } from '../protocol/compression/index.ts'

export type { GroupMetadata } from './cluster/group-metadata.ts'
export { SimpleConsumer, type SimpleConsumerOptions } from './consumer/simple-consumer.ts'
export type { OffsetWithMetadata, ResetTo } from './consumer/single-topic-consumer.ts'
export type { ConsumeOptions, ReadOptions } from './consumer/delivery/read-options.ts'
export { Consumer, type TopicsConsumerOptions } from './consumer/consumer.ts'
export type {
  PartitionToCommit,
  PositionToReset,
  TopicPartitionLag,
} from './consumer/assigned-consumer.ts'
export type { ConsumerOptions } from './consumer/options.ts'
export type {
  ConsumedMessage,
  DeserializationDecision,
  DeserializationPolicy,
  Deserializer,
} from './consumer/consumed-message.ts'
export type { ConsumerBatch } from './consumer/delivery/consumer-batch.ts'
export type { HandlerContext, MessageHandler } from './consumer/delivery/handler.ts'
export type { BatchHandler } from './consumer/delivery/run-by-batch.ts'
export type { BatchRunOptions, RunOptions } from './consumer/delivery/run.ts'
export {
  BalancedConsumer,
  type BalancedConsumerOptions,
  type CoordinatedBy,
} from './balanced/balanced-consumer.ts'
export {
  BalancedTopicsConsumer,
  type BalancedTopicsConsumerOptions,
} from './balanced/balanced-topics-consumer.ts'
export type { TransactionHandler, TransactOptions } from './balanced/transact.ts'
export type { PartitionsHook, RebalanceOptions } from './balanced/options.ts'
export type { GroupProtocolChoice, GroupProtocolName } from './balanced/protocols.ts'
export { NotOwnedError, PartitionOwnedError, RebalanceError } from './balanced/errors.ts'
export type { HeldPartition } from './balanced/coordinator.ts'
export { ZooKeeperError, type ZooKeeperErrorCode } from './balanced/zookeeper/errors.ts'
export type { ZooKeeperAuth } from './cluster/zookeeper-auth.ts'
export type {
  Done as ZooKeeperCallback,
  ZooKeeperAcl,
  ZooKeeperClient,
  ZooKeeperFailure,
  ZooKeeperStat,
  ZooKeeperState,
  ZooKeeperTransaction,
} from './balanced/zookeeper/client.ts'
export type { ZooKeeperOptions } from './balanced/zookeeper/options.ts'
export type { DecidePartitions } from './balanced/zookeeper/decide-partitions.ts'
export type { MembershipProtocol } from './balanced/zookeeper/membership-protocol.ts'
export type { AssignorName, GroupOptions } from './balanced/classic/settings.ts'
export type { ServerPattern } from './balanced/server-pattern.ts'
export type { ConsumerGroupOptions } from './balanced/consumer/settings.ts'
export { ShareConsumer } from './share/share-consumer.ts'
export type { ShareMessage } from './share/share-message.ts'
export type { ShareBatch } from './share/share-batch.ts'
export type { FailureDecision, ShareConsumerOptions, ShareRunOptions } from './share/options.ts'
export type { ShareHandlerContext, ShareMessageHandler } from './share/share-run.ts'
export type { AcknowledgementResult } from './share/acknowledgement-results.ts'
export { AlreadyAcknowledgedError } from './share/errors.ts'
export {
  withDeadLetters,
  type DeadLetterHandler,
  type DeadLetterOptions,
  type DeadLetterPolicy,
} from './dead-letters.ts'
export { DEAD_LETTER_HEADERS, type DeadLetterProducer } from './dead-letter.ts'
export { MembershipLostError } from './balanced/membership-errors.ts'
export { MaxPollIntervalError } from './consumer/max-poll-interval-error.ts'
export type {
  AssignablePartition,
  AssignableTopics,
  Assignment,
  Assignor,
  GroupMember,
  LastAssignment,
  RebalanceProtocol,
} from './balanced/assignors/assignor.ts'
export type { CommittedOffset, OffsetToCommit } from './consumer/offsets/offset-store.ts'
export type { TopicPartition, TopicPartitionOffset } from './consumer/topic-partition.ts'
export type { OffsetSpec } from './consumer/list-offsets.ts'
export { Message, type MessageHeader, type MessageObject } from '../protocol/records/message.ts'
export type { BatchHeader } from '../protocol/records/batch-header.ts'
export type { MessageBatch } from '../protocol/records/message-batch.ts'

export {
  KafkaError,
  BrokerError,
  InvalidArgumentError,
  ConnectionError,
  SocketDisconnectedError,
  WrongClusterError,
  RequestTimeoutError,
  NoBrokersAvailableError,
  UnsupportedVersionError,
  UnknownTopicError,
  LeaderNotFoundError,
  MessageTooLargeError,
  ProduceFailureError,
  ProduceManyError,
  ProducerQueueFullError,
  ClosedError,
  PartitionRevokedError,
  CompressionUnavailableError,
  CorruptBatchError,
  DeserializationError,
  NoOffsetError,
  TopicRecreatedError,
  OffsetCommitError,
  NotStartedError,
  ConsumerBusyError,
  AuthenticationError,
  TlsError,
  isRetriable,
  type ErrorContext,
  type ErrorName,
  type ConnectionErrorCode,
  type FailedMessage,
  type AuthenticationErrorCode,
  type TlsFailure,
} from './errors.ts'
export { EncodeError, ProtocolError } from '../protocol/protocol-error.ts'
export type { Recovery } from './recovery.ts'
