import { aclOperations } from './acls.ts'
import { clusterOperations } from './cluster.ts'
import { configOperations } from './configs.ts'
import type { AdminContext } from './context.ts'
import { electionOperations } from './elections.ts'
import { featureOperations } from './features.ts'
import { groupOperations } from './groups.ts'
import { hangingTransactionOperations } from './hanging-transactions.ts'
import { logDirOperations } from './log-dirs.ts'
import { planOperations } from './plans.ts'
import { producerOperations } from './producers.ts'
import { quorumOperations } from './quorum.ts'
import { quotaOperations } from './quotas.ts'
import { reassignmentOperations } from './reassignments.ts'
import { recordOperations } from './records.ts'
import { shareGroupOffsetOperations } from './share-group-offsets.ts'
import { tokenOperations } from './tokens.ts'
import { topicByIdOperations } from './topics-by-id.ts'
import { topicOperations } from './topics.ts'
import { transactionOperations } from './transactions.ts'
import { userOperations } from './users.ts'

type AclOperations = ReturnType<typeof aclOperations>
type ClusterOperations = ReturnType<typeof clusterOperations>
type ConfigOperations = ReturnType<typeof configOperations>
type ElectionOperations = ReturnType<typeof electionOperations>
type FeatureOperations = ReturnType<typeof featureOperations>
type GroupOperations = ReturnType<typeof groupOperations>
type HangingTransactionOperations = ReturnType<typeof hangingTransactionOperations>
type LogDirOperations = ReturnType<typeof logDirOperations>
type PlanOperations = ReturnType<typeof planOperations>
type ProducerOperations = ReturnType<typeof producerOperations>
type QuorumOperations = ReturnType<typeof quorumOperations>
type QuotaOperations = ReturnType<typeof quotaOperations>
type ReassignmentOperations = ReturnType<typeof reassignmentOperations>
type RecordOperations = ReturnType<typeof recordOperations>
type ShareGroupOffsetOperations = ReturnType<typeof shareGroupOffsetOperations>
type TokenOperations = ReturnType<typeof tokenOperations>
type TopicByIdOperations = ReturnType<typeof topicByIdOperations>
type TopicOperations = ReturnType<typeof topicOperations>
type TransactionOperations = ReturnType<typeof transactionOperations>
type UserOperations = ReturnType<typeof userOperations>

/**
 * The administration of a cluster, as `client.admin`. Results are plain data in a stable order that
 * `JSON.stringify` renders. Every call takes `{ timeoutMs, signal }`; the timeout covers all
 * retries.
 *
 * Calls that read return an `error` in each item that failed. Calls that change something throw an
 * ItemsFailedError when an item failed; with `settle: true` they return an `error` in that item
 * instead.
 */
export interface Admin
  extends
    AclOperations,
    ClusterOperations,
    ConfigOperations,
    ElectionOperations,
    FeatureOperations,
    GroupOperations,
    HangingTransactionOperations,
    LogDirOperations,
    PlanOperations,
    ProducerOperations,
    QuorumOperations,
    QuotaOperations,
    ReassignmentOperations,
    RecordOperations,
    ShareGroupOffsetOperations,
    TokenOperations,
    TopicByIdOperations,
    TopicOperations,
    TransactionOperations,
    UserOperations {}

export function createAdmin(context: AdminContext): Admin {
  return {
    ...aclOperations(context),
    ...clusterOperations(context),
    ...configOperations(context),
    ...electionOperations(context),
    ...featureOperations(context),
    ...groupOperations(context),
    ...hangingTransactionOperations(context),
    ...logDirOperations(context),
    ...planOperations(context),
    ...producerOperations(context),
    ...quorumOperations(context),
    ...quotaOperations(context),
    ...reassignmentOperations(context),
    ...recordOperations(context),
    ...shareGroupOffsetOperations(context),
    ...tokenOperations(context),
    ...topicByIdOperations(context),
    ...topicOperations(context),
    ...transactionOperations(context),
    ...userOperations(context),
  }
}
