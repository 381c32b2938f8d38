import { aclOperations } from './acls.ts'
import { clusterOperations } from './cluster.ts'
import { configOperations } from './configs.ts'
import type { AdminContext } from './context.ts'
import { groupOperations } from './groups.ts'
import { quotaOperations } from './quotas.ts'
import { recordOperations } from './records.ts'
import { tokenOperations } from './tokens.ts'
import { topicOperations } from './topics.ts'
import { userOperations } from './users.ts'

type AclOperations = ReturnType<typeof aclOperations>
type ClusterOperations = ReturnType<typeof clusterOperations>
type ConfigOperations = ReturnType<typeof configOperations>
type GroupOperations = ReturnType<typeof groupOperations>
type QuotaOperations = ReturnType<typeof quotaOperations>
type RecordOperations = ReturnType<typeof recordOperations>
type TokenOperations = ReturnType<typeof tokenOperations>
type TopicOperations = ReturnType<typeof topicOperations>
type UserOperations = ReturnType<typeof userOperations>

/**
 * The administration of a cluster, as `client.admin`. Results are plain data in a stable order that
 * `JSON.stringify` renders. Every call takes `{ timeoutMs, signal }`; its time covers all retries.
 *
 * Calls that read return an `error` in each item that failed. Calls that change something throw an
 * ItemsFailedError when an item failed, or with `settle: true` return an `error` in it.
 */
export interface Admin
  extends
    AclOperations,
    ClusterOperations,
    ConfigOperations,
    GroupOperations,
    QuotaOperations,
    RecordOperations,
    TokenOperations,
    TopicOperations,
    UserOperations {}

export function createAdmin(context: AdminContext): Admin {
  return {
    ...aclOperations(context),
    ...clusterOperations(context),
    ...configOperations(context),
    ...groupOperations(context),
    ...quotaOperations(context),
    ...recordOperations(context),
    ...tokenOperations(context),
    ...topicOperations(context),
    ...userOperations(context),
  }
}
