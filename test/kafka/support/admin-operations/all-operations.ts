import { CLUSTER_OPERATIONS } from './cluster.ts'
import { TOPIC_OPERATIONS } from './topics.ts'
import { RECORD_OPERATIONS } from './records.ts'
import { CONFIG_OPERATIONS } from './configs.ts'
import { GROUP_OPERATIONS } from './groups.ts'
import { NEWER_GROUP_OPERATIONS } from './newer-groups.ts'
import { TRANSACTION_OPERATIONS } from './transactions.ts'
import { REPLICA_OPERATIONS } from './replicas.ts'
import { SECURITY_OPERATIONS } from './security.ts'
import type { Operation } from './operation.ts'

/** In this order, in which some rely on what others have made. */
export const OPERATIONS: readonly Operation[] = [
  ...CLUSTER_OPERATIONS,
  ...TOPIC_OPERATIONS,
  ...RECORD_OPERATIONS,
  ...CONFIG_OPERATIONS,
  ...GROUP_OPERATIONS,
  ...NEWER_GROUP_OPERATIONS,
  ...TRANSACTION_OPERATIONS,
  ...REPLICA_OPERATIONS,
  ...SECURITY_OPERATIONS,
]
