import type { Api } from '../schema/api.ts'
import { addOffsetsToTxn } from './add-offsets-to-txn.ts'
import { addPartitionsToTxn } from './add-partitions-to-txn.ts'
import { addRaftVoter } from './add-raft-voter.ts'
import { alterClientQuotas } from './alter-client-quotas.ts'
import { alterConfigs } from './alter-configs.ts'
import { alterPartitionReassignments } from './alter-partition-reassignments.ts'
import { alterReplicaLogDirs } from './alter-replica-log-dirs.ts'
import { alterShareGroupOffsets } from './alter-share-group-offsets.ts'
import { alterUserScramCredentials } from './alter-user-scram-credentials.ts'
import { apiVersions } from './api-versions.ts'
import { consumerGroupDescribe } from './consumer-group-describe.ts'
import { consumerGroupHeartbeat } from './consumer-group-heartbeat.ts'
import { createAcls } from './create-acls.ts'
import { createDelegationToken } from './create-delegation-token.ts'
import { createPartitions } from './create-partitions.ts'
import { createTopics } from './create-topics.ts'
import { deleteAcls } from './delete-acls.ts'
import { deleteGroups } from './delete-groups.ts'
import { deleteRecords } from './delete-records.ts'
import { deleteShareGroupOffsets } from './delete-share-group-offsets.ts'
import { deleteTopics } from './delete-topics.ts'
import { describeAcls } from './describe-acls.ts'
import { describeClientQuotas } from './describe-client-quotas.ts'
import { describeCluster } from './describe-cluster.ts'
import { describeConfigs } from './describe-configs.ts'
import { describeDelegationToken } from './describe-delegation-token.ts'
import { describeGroups } from './describe-groups.ts'
import { describeLogDirs } from './describe-log-dirs.ts'
import { describeProducers } from './describe-producers.ts'
import { describeQuorum } from './describe-quorum.ts'
import { describeShareGroupOffsets } from './describe-share-group-offsets.ts'
import { describeTopicPartitions } from './describe-topic-partitions.ts'
import { describeTransactions } from './describe-transactions.ts'
import { describeUserScramCredentials } from './describe-user-scram-credentials.ts'
import { electLeaders } from './elect-leaders.ts'
import { endTxn } from './end-txn.ts'
import { expireDelegationToken } from './expire-delegation-token.ts'
import { fetch } from './fetch.ts'
import { findCoordinator } from './find-coordinator.ts'
import { getTelemetrySubscriptions } from './get-telemetry-subscriptions.ts'
import { heartbeat } from './heartbeat.ts'
import { incrementalAlterConfigs } from './incremental-alter-configs.ts'
import { initProducerId } from './init-producer-id.ts'
import { joinGroup } from './join-group.ts'
import { leaveGroup } from './leave-group.ts'
import { listConfigResources } from './list-config-resources.ts'
import { listGroups } from './list-groups.ts'
import { listOffsets } from './list-offsets.ts'
import { listPartitionReassignments } from './list-partition-reassignments.ts'
import { listTransactions } from './list-transactions.ts'
import { metadata } from './metadata.ts'
import { offsetCommit } from './offset-commit.ts'
import { offsetDelete } from './offset-delete.ts'
import { offsetFetch } from './offset-fetch.ts'
import { offsetForLeaderEpoch } from './offset-for-leader-epoch.ts'
import { produce } from './produce.ts'
import { pushTelemetry } from './push-telemetry.ts'
import { removeRaftVoter } from './remove-raft-voter.ts'
import { renewDelegationToken } from './renew-delegation-token.ts'
import { saslAuthenticate } from './sasl-authenticate.ts'
import { saslHandshake } from './sasl-handshake.ts'
import { shareAcknowledge } from './share-acknowledge.ts'
import { shareFetch } from './share-fetch.ts'
import { shareGroupDescribe } from './share-group-describe.ts'
import { shareGroupHeartbeat } from './share-group-heartbeat.ts'
import { streamsGroupDescribe } from './streams-group-describe.ts'
import { streamsGroupHeartbeat } from './streams-group-heartbeat.ts'
import { streamsGroupTopologyDescriptionUpdate } from './streams-group-topology-description-update.ts'
import { syncGroup } from './sync-group.ts'
import { txnOffsetCommit } from './txn-offset-commit.ts'
import { unregisterBroker } from './unregister-broker.ts'
import { unregisterController } from './unregister-controller.ts'
import { updateFeatures } from './update-features.ts'
import { writeTxnMarkers } from './write-txn-markers.ts'

/** Every API that a client may use, by key. */
export const apis: readonly Api[] = [
  produce,
  fetch,
  listOffsets,
  metadata,
  offsetCommit,
  offsetFetch,
  findCoordinator,
  joinGroup,
  heartbeat,
  leaveGroup,
  syncGroup,
  describeGroups,
  listGroups,
  saslHandshake,
  apiVersions,
  createTopics,
  deleteTopics,
  deleteRecords,
  initProducerId,
  offsetForLeaderEpoch,
  addPartitionsToTxn,
  addOffsetsToTxn,
  endTxn,
  writeTxnMarkers,
  txnOffsetCommit,
  describeAcls,
  createAcls,
  deleteAcls,
  describeConfigs,
  alterConfigs,
  alterReplicaLogDirs,
  describeLogDirs,
  saslAuthenticate,
  createPartitions,
  createDelegationToken,
  renewDelegationToken,
  expireDelegationToken,
  describeDelegationToken,
  deleteGroups,
  electLeaders,
  incrementalAlterConfigs,
  alterPartitionReassignments,
  listPartitionReassignments,
  offsetDelete,
  describeClientQuotas,
  alterClientQuotas,
  describeUserScramCredentials,
  alterUserScramCredentials,
  describeQuorum,
  updateFeatures,
  describeCluster,
  describeProducers,
  unregisterBroker,
  describeTransactions,
  listTransactions,
  consumerGroupHeartbeat,
  consumerGroupDescribe,
  getTelemetrySubscriptions,
  pushTelemetry,
  listConfigResources,
  describeTopicPartitions,
  shareGroupHeartbeat,
  shareGroupDescribe,
  shareFetch,
  shareAcknowledge,
  addRaftVoter,
  removeRaftVoter,
  streamsGroupHeartbeat,
  streamsGroupDescribe,
  describeShareGroupOffsets,
  alterShareGroupOffsets,
  deleteShareGroupOffsets,
  streamsGroupTopologyDescriptionUpdate,
  unregisterController,
]

const byKey: ReadonlyMap<number, Api> = new Map(apis.map((api) => [api.key, api]))

/**
 * Returns the API of a key; undefined for an API that clients do not use, or that is newer than
 * this client.
 */
export function apiOf(key: number): Api | undefined {
  return byKey.get(key)
}

export {
  addOffsetsToTxn,
  type AddOffsetsToTxnRequest,
  type AddOffsetsToTxnResponse,
} from './add-offsets-to-txn.ts'
export {
  addPartitionsToTxn,
  type AddPartitionsToTxnRequest,
  type AddPartitionsToTxnResponse,
} from './add-partitions-to-txn.ts'
export {
  addRaftVoter,
  type AddRaftVoterRequest,
  type AddRaftVoterResponse,
} from './add-raft-voter.ts'
export {
  alterClientQuotas,
  type AlterClientQuotasRequest,
  type AlterClientQuotasResponse,
} from './alter-client-quotas.ts'
export {
  alterConfigs,
  type AlterConfigsRequest,
  type AlterConfigsResponse,
} from './alter-configs.ts'
export {
  alterPartitionReassignments,
  type AlterPartitionReassignmentsRequest,
  type AlterPartitionReassignmentsResponse,
} from './alter-partition-reassignments.ts'
export {
  alterReplicaLogDirs,
  type AlterReplicaLogDirsRequest,
  type AlterReplicaLogDirsResponse,
} from './alter-replica-log-dirs.ts'
export {
  alterShareGroupOffsets,
  type AlterShareGroupOffsetsRequest,
  type AlterShareGroupOffsetsResponse,
} from './alter-share-group-offsets.ts'
export {
  alterUserScramCredentials,
  type AlterUserScramCredentialsRequest,
  type AlterUserScramCredentialsResponse,
} from './alter-user-scram-credentials.ts'
export { apiVersions, type ApiVersionsRequest, type ApiVersionsResponse } from './api-versions.ts'
export {
  consumerGroupDescribe,
  type ConsumerGroupDescribeRequest,
  type ConsumerGroupDescribeResponse,
} from './consumer-group-describe.ts'
export {
  consumerGroupHeartbeat,
  type ConsumerGroupHeartbeatRequest,
  type ConsumerGroupHeartbeatResponse,
} from './consumer-group-heartbeat.ts'
export { createAcls, type CreateAclsRequest, type CreateAclsResponse } from './create-acls.ts'
export {
  createDelegationToken,
  type CreateDelegationTokenRequest,
  type CreateDelegationTokenResponse,
} from './create-delegation-token.ts'
export {
  createPartitions,
  type CreatePartitionsRequest,
  type CreatePartitionsResponse,
} from './create-partitions.ts'
export {
  createTopics,
  type CreateTopicsRequest,
  type CreateTopicsResponse,
} from './create-topics.ts'
export { deleteAcls, type DeleteAclsRequest, type DeleteAclsResponse } from './delete-acls.ts'
export {
  deleteGroups,
  type DeleteGroupsRequest,
  type DeleteGroupsResponse,
} from './delete-groups.ts'
export {
  deleteRecords,
  type DeleteRecordsRequest,
  type DeleteRecordsResponse,
} from './delete-records.ts'
export {
  deleteShareGroupOffsets,
  type DeleteShareGroupOffsetsRequest,
  type DeleteShareGroupOffsetsResponse,
} from './delete-share-group-offsets.ts'
export {
  deleteTopics,
  type DeleteTopicsRequest,
  type DeleteTopicsResponse,
} from './delete-topics.ts'
export {
  describeAcls,
  type DescribeAclsRequest,
  type DescribeAclsResponse,
} from './describe-acls.ts'
export {
  describeClientQuotas,
  type DescribeClientQuotasRequest,
  type DescribeClientQuotasResponse,
} from './describe-client-quotas.ts'
export {
  describeCluster,
  type DescribeClusterRequest,
  type DescribeClusterResponse,
} from './describe-cluster.ts'
export {
  describeConfigs,
  type DescribeConfigsRequest,
  type DescribeConfigsResponse,
} from './describe-configs.ts'
export {
  describeDelegationToken,
  type DescribeDelegationTokenRequest,
  type DescribeDelegationTokenResponse,
} from './describe-delegation-token.ts'
export {
  describeGroups,
  type DescribeGroupsRequest,
  type DescribeGroupsResponse,
} from './describe-groups.ts'
export {
  describeLogDirs,
  type DescribeLogDirsRequest,
  type DescribeLogDirsResponse,
} from './describe-log-dirs.ts'
export {
  describeProducers,
  type DescribeProducersRequest,
  type DescribeProducersResponse,
} from './describe-producers.ts'
export {
  describeQuorum,
  type DescribeQuorumRequest,
  type DescribeQuorumResponse,
} from './describe-quorum.ts'
export {
  describeShareGroupOffsets,
  type DescribeShareGroupOffsetsRequest,
  type DescribeShareGroupOffsetsResponse,
} from './describe-share-group-offsets.ts'
export {
  describeTopicPartitions,
  type DescribeTopicPartitionsRequest,
  type DescribeTopicPartitionsResponse,
} from './describe-topic-partitions.ts'
export {
  describeTransactions,
  type DescribeTransactionsRequest,
  type DescribeTransactionsResponse,
} from './describe-transactions.ts'
export {
  describeUserScramCredentials,
  type DescribeUserScramCredentialsRequest,
  type DescribeUserScramCredentialsResponse,
} from './describe-user-scram-credentials.ts'
export {
  electLeaders,
  type ElectLeadersRequest,
  type ElectLeadersResponse,
} from './elect-leaders.ts'
export { endTxn, type EndTxnRequest, type EndTxnResponse } from './end-txn.ts'
export {
  expireDelegationToken,
  type ExpireDelegationTokenRequest,
  type ExpireDelegationTokenResponse,
} from './expire-delegation-token.ts'
export { fetch, type FetchRequest, type FetchResponse } from './fetch.ts'
export {
  findCoordinator,
  type FindCoordinatorRequest,
  type FindCoordinatorResponse,
} from './find-coordinator.ts'
export {
  getTelemetrySubscriptions,
  type GetTelemetrySubscriptionsRequest,
  type GetTelemetrySubscriptionsResponse,
} from './get-telemetry-subscriptions.ts'
export { heartbeat, type HeartbeatRequest, type HeartbeatResponse } from './heartbeat.ts'
export {
  incrementalAlterConfigs,
  type IncrementalAlterConfigsRequest,
  type IncrementalAlterConfigsResponse,
} from './incremental-alter-configs.ts'
export {
  initProducerId,
  type InitProducerIdRequest,
  type InitProducerIdResponse,
} from './init-producer-id.ts'
export { joinGroup, type JoinGroupRequest, type JoinGroupResponse } from './join-group.ts'
export { leaveGroup, type LeaveGroupRequest, type LeaveGroupResponse } from './leave-group.ts'
export {
  listConfigResources,
  type ListConfigResourcesRequest,
  type ListConfigResourcesResponse,
} from './list-config-resources.ts'
export { listGroups, type ListGroupsRequest, type ListGroupsResponse } from './list-groups.ts'
export { listOffsets, type ListOffsetsRequest, type ListOffsetsResponse } from './list-offsets.ts'
export {
  listPartitionReassignments,
  type ListPartitionReassignmentsRequest,
  type ListPartitionReassignmentsResponse,
} from './list-partition-reassignments.ts'
export {
  listTransactions,
  type ListTransactionsRequest,
  type ListTransactionsResponse,
} from './list-transactions.ts'
export { metadata, type MetadataRequest, type MetadataResponse } from './metadata.ts'
export {
  offsetCommit,
  type OffsetCommitRequest,
  type OffsetCommitResponse,
} from './offset-commit.ts'
export {
  offsetDelete,
  type OffsetDeleteRequest,
  type OffsetDeleteResponse,
} from './offset-delete.ts'
export { offsetFetch, type OffsetFetchRequest, type OffsetFetchResponse } from './offset-fetch.ts'
export {
  offsetForLeaderEpoch,
  type OffsetForLeaderEpochRequest,
  type OffsetForLeaderEpochResponse,
} from './offset-for-leader-epoch.ts'
export { produce, type ProduceRequest, type ProduceResponse } from './produce.ts'
export {
  pushTelemetry,
  type PushTelemetryRequest,
  type PushTelemetryResponse,
} from './push-telemetry.ts'
export {
  removeRaftVoter,
  type RemoveRaftVoterRequest,
  type RemoveRaftVoterResponse,
} from './remove-raft-voter.ts'
export {
  renewDelegationToken,
  type RenewDelegationTokenRequest,
  type RenewDelegationTokenResponse,
} from './renew-delegation-token.ts'
export {
  saslAuthenticate,
  type SaslAuthenticateRequest,
  type SaslAuthenticateResponse,
} from './sasl-authenticate.ts'
export {
  saslHandshake,
  type SaslHandshakeRequest,
  type SaslHandshakeResponse,
} from './sasl-handshake.ts'
export {
  shareAcknowledge,
  type ShareAcknowledgeRequest,
  type ShareAcknowledgeResponse,
} from './share-acknowledge.ts'
export { shareFetch, type ShareFetchRequest, type ShareFetchResponse } from './share-fetch.ts'
export {
  shareGroupDescribe,
  type ShareGroupDescribeRequest,
  type ShareGroupDescribeResponse,
} from './share-group-describe.ts'
export {
  shareGroupHeartbeat,
  type ShareGroupHeartbeatRequest,
  type ShareGroupHeartbeatResponse,
} from './share-group-heartbeat.ts'
export {
  streamsGroupDescribe,
  type StreamsGroupDescribeRequest,
  type StreamsGroupDescribeResponse,
} from './streams-group-describe.ts'
export {
  streamsGroupHeartbeat,
  type StreamsGroupHeartbeatRequest,
  type StreamsGroupHeartbeatResponse,
} from './streams-group-heartbeat.ts'
export {
  streamsGroupTopologyDescriptionUpdate,
  type StreamsGroupTopologyDescriptionUpdateRequest,
  type StreamsGroupTopologyDescriptionUpdateResponse,
} from './streams-group-topology-description-update.ts'
export { syncGroup, type SyncGroupRequest, type SyncGroupResponse } from './sync-group.ts'
export {
  txnOffsetCommit,
  type TxnOffsetCommitRequest,
  type TxnOffsetCommitResponse,
} from './txn-offset-commit.ts'
export {
  unregisterBroker,
  type UnregisterBrokerRequest,
  type UnregisterBrokerResponse,
} from './unregister-broker.ts'
export {
  unregisterController,
  type UnregisterControllerRequest,
  type UnregisterControllerResponse,
} from './unregister-controller.ts'
export {
  updateFeatures,
  type UpdateFeaturesRequest,
  type UpdateFeaturesResponse,
} from './update-features.ts'
export {
  writeTxnMarkers,
  type WriteTxnMarkersRequest,
  type WriteTxnMarkersResponse,
} from './write-txn-markers.ts'
