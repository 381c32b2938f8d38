/** Kafka's numbers of the parts of ACLs. */
export const RESOURCE = {
  any: 1,
  topic: 2,
  group: 3,
  cluster: 4,
  transactionalId: 5,
  delegationToken: 6,
  user: 7,
} as const
export type ResourceName = Exclude<keyof typeof RESOURCE, 'any'>

export const OPERATION = {
  any: 1,
  all: 2,
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
  createTokens: 13,
  describeTokens: 14,
  twoPhaseCommit: 15,
} as const
export type OperationName = Exclude<keyof typeof OPERATION, 'any' | 'all'>

export const PATTERN = { any: 1, match: 2, literal: 3, prefixed: 4 } as const
export const PERMISSION = { any: 1, deny: 2, allow: 3 } as const

/** The name of the only resource of its type. */
export const CLUSTER_NAME = 'kafka-cluster'
export const WILDCARD = '*'
const ANYONE = 'User:*'

export interface Acl {
  readonly resourceType: number
  readonly resourceName: string
  readonly patternType: number
  readonly principal: string
  readonly host: string
  readonly operation: number
  readonly permissionType: number
}

/** A filter for ACLs: null and Kafka's numbers for `any` match all. */
export interface AclFilter {
  readonly resourceType: number
  readonly resourceName: string | null
  readonly patternType: number
  readonly principal: string | null
  readonly host: string | null
  readonly operation: number
  readonly permissionType: number
}

/** The principal and the host of a request. */
export interface Subject {
  readonly principal: string
  readonly host: string
}

export interface ResourceRef {
  readonly type: number
  readonly name: string
}

/** Whether the ACL applies to the resource: by its name, by a prefix of it, or to all resources. */
export function isAbout(acl: Acl, { type, name }: ResourceRef): boolean {
  if (acl.resourceType !== type) return false
  if (acl.patternType === PATTERN.prefixed) return name.startsWith(acl.resourceName)
  return acl.resourceName === name || acl.resourceName === WILDCARD
}

export function isFor(acl: Acl, { principal, host }: Subject): boolean {
  const isEveryone = acl.principal === ANYONE && principal.startsWith('User:')
  return (isEveryone || acl.principal === principal) && (acl.host === WILDCARD || acl.host === host)
}

/** The operations that a permission implies. Denials imply nothing. */
const IMPLIED: ReadonlyMap<number, readonly number[]> = new Map([
  [
    OPERATION.describe,
    [OPERATION.read, OPERATION.write, OPERATION.delete, OPERATION.alter, OPERATION.describe],
  ],
  [OPERATION.describeConfigs, [OPERATION.alterConfigs, OPERATION.describeConfigs]],
])

export function covers({ operation, permissionType }: Acl, wanted: number): boolean {
  if (operation === OPERATION.all || operation === wanted) return true
  return permissionType === PERMISSION.allow && (IMPLIED.get(wanted)?.includes(operation) ?? false)
}

export function matches(acl: Acl, filter: AclFilter): boolean {
  return (
    (filter.resourceType === RESOURCE.any || filter.resourceType === acl.resourceType) &&
    matchesName(acl, filter) &&
    (filter.principal === null || filter.principal === acl.principal) &&
    (filter.host === null || filter.host === acl.host) &&
    (filter.operation === OPERATION.any || filter.operation === acl.operation) &&
    (filter.permissionType === PERMISSION.any || filter.permissionType === acl.permissionType)
  )
}

function matchesName(acl: Acl, { resourceName: name, patternType }: AclFilter): boolean {
  if (patternType === PATTERN.match) {
    return name === null || isAbout(acl, { type: acl.resourceType, name })
  }
  const isOfType = patternType === PATTERN.any || patternType === acl.patternType
  return isOfType && (name === null || name === acl.resourceName)
}

export function aclKey(acl: Acl): string {
  const { resourceType, resourceName, patternType } = acl
  const { principal, host, operation, permissionType } = acl
  return JSON.stringify([
    resourceType,
    resourceName,
    patternType,
    principal,
    host,
    operation,
    permissionType,
  ])
}

/** The operations on a resource of a type: those that its ACLs may name, in addition to `all`. */
export const OPERATIONS_OF: ReadonlyMap<number, readonly number[]> = new Map<
  number,
  readonly number[]
>([
  [
    RESOURCE.topic,
    codes(
      'read',
      'write',
      'create',
      'delete',
      'alter',
      'describe',
      'describeConfigs',
      'alterConfigs',
    ),
  ],
  [RESOURCE.group, codes('read', 'delete', 'describe', 'describeConfigs', 'alterConfigs')],
  [
    RESOURCE.cluster,
    codes(
      'create',
      'alter',
      'describe',
      'clusterAction',
      'describeConfigs',
      'alterConfigs',
      'idempotentWrite',
    ),
  ],
  [RESOURCE.transactionalId, codes('write', 'describe', 'twoPhaseCommit')],
  [RESOURCE.delegationToken, codes('describe')],
  [RESOURCE.user, codes('createTokens', 'describeTokens')],
])

function codes(...names: readonly OperationName[]): readonly number[] {
  return names.map((name) => OPERATION[name])
}
