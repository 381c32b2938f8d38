/** The tables of options, items and filters of the admin client, for docs/admin.md. */
import { DESCRIBE_CLUSTER_OPTIONS, DESCRIBE_FEATURES_OPTIONS } from '../src/admin/cluster.ts'
import {
  ALTER_CONFIGS_OPTIONS,
  CONFIG_CHANGE,
  CONFIG_RESOURCE,
  DESCRIBE_CONFIGS_OPTIONS,
} from '../src/admin/configs.ts'
import { CHANGE_OPTIONS } from '../src/admin/context.ts'
import { FEATURE_UPDATE, UPDATE_FEATURES_OPTIONS } from '../src/admin/features.ts'
import { DESCRIBE_GROUPS_OPTIONS } from '../src/admin/described-group.ts'
import { DESCRIBE_TOPICS_OPTIONS } from '../src/admin/describe-topics.ts'
import { REMOVE_MEMBERS_OPTIONS } from '../src/admin/groups.ts'
import { LIST_GROUPS_OPTIONS } from '../src/admin/list-groups.ts'
import { FIND_HANGING_TRANSACTIONS_OPTIONS } from '../src/admin/hanging-transactions.ts'
import { LAG_OPTIONS } from '../src/admin/lag.ts'
import { GROUP_PARTITIONS, LIST_GROUP_OFFSETS_OPTIONS } from '../src/admin/list-group-offsets.ts'
import {
  DESCRIBE_LOG_DIRS_OPTIONS,
  PARTITION_REPLICA,
  REPLICA_MOVE,
} from '../src/admin/log-dirs.ts'
import { DESCRIBE_PRODUCERS_OPTIONS, OPEN_TRANSACTION } from '../src/admin/producers.ts'
import {
  NEW_RAFT_VOTER,
  RAFT_LISTENER,
  RAFT_VOTER,
  RAFT_VOTER_OPTIONS,
} from '../src/admin/quorum.ts'
import {
  ALTER_QUOTAS_OPTIONS,
  QUOTA_CHANGE,
  QUOTA_ENTITY,
  QUOTA_FILTER,
} from '../src/admin/quotas.ts'
import { ALTER_REASSIGNMENTS_OPTIONS, NEW_REASSIGNMENT } from '../src/admin/reassignments.ts'
import { LIST_OFFSETS_OPTIONS, RECORDS_TO_DELETE } from '../src/admin/records.ts'
import {
  CREATE_TOKEN_OPTIONS,
  DESCRIBE_TOKEN_OPTIONS,
  EXPIRE_TOKEN_OPTIONS,
  RENEW_TOKEN_OPTIONS,
} from '../src/admin/tokens.ts'
import {
  CREATE_PARTITIONS_OPTIONS,
  CREATE_TOPICS_OPTIONS,
  DELETE_TOPICS_OPTIONS,
  LIST_TOPICS_OPTIONS,
  NEW_PARTITIONS,
  NEW_TOPIC,
  TOPIC_CHANGE_OPTIONS,
} from '../src/admin/topics.ts'
import { LIST_TRANSACTIONS_OPTIONS } from '../src/admin/transactions.ts'
import { TOPIC_PARTITION } from '../src/admin/partitions.ts'
import { NEW_ACL, ACL_FILTER } from '../src/admin/acl.ts'
import { SCRAM_UPSERTION, SCRAM_DELETION } from '../src/admin/users.ts'
import { OFFSET_TO_SET } from '../src/admin/group-offsets.ts'
import { SHARE_GROUP_OFFSET_TO_SET } from '../src/admin/share-group-offsets.ts'
import { OFFSET_RESET_REQUEST, REASSIGNMENT_REQUEST } from '../src/admin/plans.ts'
import type { AnyOptionTable } from '../src/option-table.ts'

const DOCUMENT = 'docs/admin.md'

/** A table beside the interface or type with its docstrings, in a file of `src/admin/`. */
const inAdmin = (area: string, table: AnyOptionTable) => ({
  document: DOCUMENT,
  source: `src/admin/${area}.ts`,
  table,
})

/** By the name of the interface or type that users see. */
export const ADMIN_OPTION_SECTIONS = {
  ChangeOptions: inAdmin('context', CHANGE_OPTIONS),
  ListTopicsOptions: inAdmin('topics', LIST_TOPICS_OPTIONS),
  DescribeTopicsOptions: inAdmin('describe-topics', DESCRIBE_TOPICS_OPTIONS),
  TopicChangeOptions: inAdmin('topics', TOPIC_CHANGE_OPTIONS),
  CreateTopicsOptions: inAdmin('topics', CREATE_TOPICS_OPTIONS),
  DeleteTopicsOptions: inAdmin('topics', DELETE_TOPICS_OPTIONS),
  CreatePartitionsOptions: inAdmin('topics', CREATE_PARTITIONS_OPTIONS),
  ListOffsetsOptions: inAdmin('records', LIST_OFFSETS_OPTIONS),
  DescribeConfigsOptions: inAdmin('configs', DESCRIBE_CONFIGS_OPTIONS),
  AlterConfigsOptions: inAdmin('configs', ALTER_CONFIGS_OPTIONS),
  AlterQuotasOptions: inAdmin('quotas', ALTER_QUOTAS_OPTIONS),
  CreateTokenOptions: inAdmin('tokens', CREATE_TOKEN_OPTIONS),
  RenewTokenOptions: inAdmin('tokens', RENEW_TOKEN_OPTIONS),
  ExpireTokenOptions: inAdmin('tokens', EXPIRE_TOKEN_OPTIONS),
  DescribeTokenOptions: inAdmin('tokens', DESCRIBE_TOKEN_OPTIONS),
  ListGroupsOptions: inAdmin('list-groups', LIST_GROUPS_OPTIONS),
  DescribeGroupsOptions: inAdmin('described-group', DESCRIBE_GROUPS_OPTIONS),
  RemoveMembersOptions: inAdmin('groups', REMOVE_MEMBERS_OPTIONS),
  LagOptions: inAdmin('lag', LAG_OPTIONS),
  ListGroupOffsetsOptions: inAdmin('list-group-offsets', LIST_GROUP_OFFSETS_OPTIONS),
  AlterReassignmentsOptions: inAdmin('reassignments', ALTER_REASSIGNMENTS_OPTIONS),
  DescribeLogDirsOptions: inAdmin('log-dirs', DESCRIBE_LOG_DIRS_OPTIONS),
  DescribeProducersOptions: inAdmin('producers', DESCRIBE_PRODUCERS_OPTIONS),
  ListTransactionsOptions: inAdmin('transactions', LIST_TRANSACTIONS_OPTIONS),
  FindHangingTransactionsOptions: inAdmin(
    'hanging-transactions',
    FIND_HANGING_TRANSACTIONS_OPTIONS,
  ),
  DescribeClusterOptions: inAdmin('cluster', DESCRIBE_CLUSTER_OPTIONS),
  DescribeFeaturesOptions: inAdmin('cluster', DESCRIBE_FEATURES_OPTIONS),
  UpdateFeaturesOptions: inAdmin('features', UPDATE_FEATURES_OPTIONS),
  RaftVoterOptions: inAdmin('quorum', RAFT_VOTER_OPTIONS),
  TopicPartition: {
    document: DOCUMENT,
    source: 'src/consumer/topic-partition.ts',
    table: TOPIC_PARTITION,
  },
  NewTopic: inAdmin('topics', NEW_TOPIC),
  NewPartitions: inAdmin('topics', NEW_PARTITIONS),
  RecordsToDelete: inAdmin('records', RECORDS_TO_DELETE),
  ConfigResource: inAdmin('configs', CONFIG_RESOURCE),
  ConfigChange: inAdmin('configs', CONFIG_CHANGE),
  NewAcl: inAdmin('acl', NEW_ACL),
  AclFilter: inAdmin('acl', ACL_FILTER),
  ScramUpsertion: inAdmin('users', SCRAM_UPSERTION),
  ScramDeletion: inAdmin('users', SCRAM_DELETION),
  QuotaEntity: inAdmin('quotas', QUOTA_ENTITY),
  QuotaFilter: inAdmin('quotas', QUOTA_FILTER),
  QuotaChange: inAdmin('quotas', QUOTA_CHANGE),
  GroupPartitions: inAdmin('list-group-offsets', GROUP_PARTITIONS),
  OffsetToSet: inAdmin('group-offsets', OFFSET_TO_SET),
  ShareGroupOffsetToSet: inAdmin('share-group-offsets', SHARE_GROUP_OFFSET_TO_SET),
  OffsetResetRequest: inAdmin('plans', OFFSET_RESET_REQUEST),
  ReassignmentRequest: inAdmin('plans', REASSIGNMENT_REQUEST),
  NewReassignment: inAdmin('reassignments', NEW_REASSIGNMENT),
  PartitionReplica: inAdmin('log-dirs', PARTITION_REPLICA),
  ReplicaMove: inAdmin('log-dirs', REPLICA_MOVE),
  OpenTransaction: inAdmin('producers', OPEN_TRANSACTION),
  FeatureUpdate: inAdmin('features', FEATURE_UPDATE),
  RaftVoter: inAdmin('quorum', RAFT_VOTER),
  NewRaftVoter: inAdmin('quorum', NEW_RAFT_VOTER),
  RaftListener: inAdmin('quorum', RAFT_LISTENER),
}
