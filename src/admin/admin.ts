import { clusterOperations } from './cluster.ts'
import { configOperations } from './configs.ts'
import type { AdminContext } from './context.ts'
import { groupOperations } from './groups.ts'
import { recordOperations } from './records.ts'
import { topicOperations } from './topics.ts'

type ClusterOperations = ReturnType<typeof clusterOperations>
type ConfigOperations = ReturnType<typeof configOperations>
type GroupOperations = ReturnType<typeof groupOperations>
type RecordOperations = ReturnType<typeof recordOperations>
type TopicOperations = ReturnType<typeof topicOperations>

/**
 * The administration of a cluster, as `client.admin`. Results are plain data in a stable order that
 * `JSON.stringify` renders. Every call takes `{ timeoutMs, signal }`; its time covers all retries.
 *
 * Calls that read return an `error` in each item that failed. Calls that change something throw an
 * ItemsFailedError when an item failed, or with `settle: true` return an `error` in it.
 */
export interface Admin
  extends ClusterOperations, ConfigOperations, GroupOperations, RecordOperations, TopicOperations {}

export function createAdmin(context: AdminContext): Admin {
  return {
    ...clusterOperations(context),
    ...configOperations(context),
    ...groupOperations(context),
    ...recordOperations(context),
    ...topicOperations(context),
  }
}
