/** What a client may do where there are no ACLs, as bits by Kafka's numbers of the operations (KIP-430). */
const OPERATION = {
  read: 3,
  write: 4,
  create: 5,
  delete: 6,
  alter: 7,
  describe: 8,
  clusterAction: 9,
  describeConfigs: 10,
  alterConfigs: 11,
  idempotentWrite: 12,
} as const

function bits(...operations: readonly number[]): number {
  return operations.reduce((sum, operation) => sum | (1 << operation), 0)
}

export const TOPIC_OPERATIONS = bits(
  OPERATION.read,
  OPERATION.write,
  OPERATION.create,
  OPERATION.delete,
  OPERATION.alter,
  OPERATION.describe,
  OPERATION.describeConfigs,
  OPERATION.alterConfigs,
)

export const CLUSTER_OPERATIONS = bits(
  OPERATION.create,
  OPERATION.alter,
  OPERATION.describe,
  OPERATION.clusterAction,
  OPERATION.describeConfigs,
  OPERATION.alterConfigs,
  OPERATION.idempotentWrite,
)

export const GROUP_OPERATIONS = bits(
  OPERATION.read,
  OPERATION.delete,
  OPERATION.describe,
  OPERATION.describeConfigs,
  OPERATION.alterConfigs,
)
