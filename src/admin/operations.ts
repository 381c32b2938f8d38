/** Kafka's operations of ACLs, by their numbers from 0; newer brokers may have higher numbers. */
export const ACL_OPERATIONS = [
  'unknown',
  'any',
  'all',
  'read',
  'write',
  'create',
  'delete',
  'alter',
  'describe',
  'clusterAction',
  'describeConfigs',
  'alterConfigs',
  'idempotentWrite',
  'createTokens',
  'describeTokens',
  'twoPhaseCommit',
] as const

/** An operation that an ACL allows or denies (Kafka's AclOperation). */
export type AclOperation = (typeof ACL_OPERATIONS)[number]

export function operationName(code: number): AclOperation {
  return ACL_OPERATIONS[code] ?? 'unknown'
}

export function operationCode(name: AclOperation): number {
  return ACL_OPERATIONS.indexOf(name)
}

/**
 * The value that a broker sends if the request does not ask for operations, or if it does not know
 * them.
 */
const NOT_ASKED = -0x80000000

/** The operations in a bit set of Metadata and similar responses; undefined if there is none. */
export function operationsOf(bits: number): readonly AclOperation[] | undefined {
  if (bits === NOT_ASKED) return undefined
  return ACL_OPERATIONS.filter((name, code) => name !== 'unknown' && ((bits >> code) & 1) === 1)
}
