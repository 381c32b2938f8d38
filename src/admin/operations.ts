/** Kafka's operations of ACLs by their numbers, from 0; numbers above are of newer brokers. */
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

/** What an ACL is about (Kafka's AclOperation). */
export type AclOperation = (typeof ACL_OPERATIONS)[number]

export function operationName(code: number): AclOperation {
  return ACL_OPERATIONS[code] ?? 'unknown'
}

export function operationCode(name: AclOperation): number {
  return ACL_OPERATIONS.indexOf(name)
}

/** What a broker sends where it was not asked for operations, or does not know them. */
const NOT_ASKED = -0x80000000

/** The operations of a bit set as in Metadata; undefined where there is none. */
export function operationsOf(bits: number): readonly AclOperation[] | undefined {
  if (bits === NOT_ASKED) return undefined
  return ACL_OPERATIONS.filter((name, code) => name !== 'unknown' && ((bits >> code) & 1) === 1)
}
