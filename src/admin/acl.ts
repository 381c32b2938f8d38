import { InvalidArgumentError } from '../errors.ts'
import { checkTable, type OptionTable } from '../option-table.ts'
import { aKeyOf, aString, keysOf, oneOf, shown } from '../options.ts'
import { compareText } from './items.ts'
import { ACL_OPERATIONS, operationCode, operationName, type AclOperation } from './operations.ts'

/** Kafka's numbers of the types of resources that ACLs can protect. */
const RESOURCE_TYPES = {
  topic: 2,
  group: 3,
  cluster: 4,
  transactionalId: 5,
  delegationToken: 6,
  user: 7,
} as const

const PATTERN_TYPES = { any: 1, match: 2, literal: 3, prefixed: 4 } as const
const PERMISSIONS = { deny: 2, allow: 3 } as const
const ANY = 1

/** The type of a resource that an ACL protects (Kafka's ResourceType). */
export type AclResourceType = keyof typeof RESOURCE_TYPES
/**
 * The permission of an ACL: allow or deny (Kafka's AclPermissionType). A denial takes precedence
 * over every permission.
 */
export type AclPermission = keyof typeof PERMISSIONS

/** An access control entry: whether a principal may perform an operation on resources. */
export interface Acl {
  /** The type of the resource that the ACL protects. */
  readonly resourceType: AclResourceType
  /** `*` stands for all resources of the type; the cluster is named `kafka-cluster`. */
  readonly resourceName: string
  /** `prefixed`: all resources whose names begin with `resourceName`. */
  readonly patternType: 'literal' | 'prefixed'
  /** Such as `User:alice`; `User:*` stands for all users. */
  readonly principal: string
  /** An IP address; `*` stands for all hosts. */
  readonly host: string
  /** The operation that the ACL allows or denies. */
  readonly operation: AclOperation
  /** The permission: allow or deny. */
  readonly permission: AclPermission
}

/** An access control entry to create. */
export interface NewAcl {
  /** The type of the resource that the ACL protects. */
  readonly resourceType: AclResourceType
  /** `*` stands for all resources of the type; the cluster is named `kafka-cluster`. */
  readonly resourceName: string
  /**
   * `prefixed`: all resources whose names begin with `resourceName` (Kafka 2.0 or newer). Default:
   * `literal`.
   */
  readonly patternType?: Acl['patternType']
  /** Such as `User:alice`; `User:*` stands for all users. */
  readonly principal: string
  /** The IP address that the principal connects from; `*` stands for all. Default: `*`. */
  readonly host?: string
  /** The operation that the ACL allows or denies. */
  readonly operation: AclOperation
  /** Whether the ACL allows or denies the operation. Default: `allow`. */
  readonly permission?: AclPermission
}

/** A filter for access control entries: a property that is left out matches any value. */
export interface AclFilter {
  /** Only ACLs of this type of resource. Default: all. */
  readonly resourceType?: AclResourceType
  /** Only ACLs of this resource; `patternType` decides how names are compared. Default: all. */
  readonly resourceName?: string
  /**
   * `any`: entries of exactly this name, literal or prefixed. `match`: all entries that apply to the resource of
   * this name, also by a prefix or by `*` (Kafka 2.0 or newer). Default: `any`.
   */
  readonly patternType?: Acl['patternType'] | 'any' | 'match'
  /** Only ACLs of this principal, such as `User:alice`. Default: all. */
  readonly principal?: string
  /** Only ACLs for this host; `*` finds those that are for all hosts. Default: all. */
  readonly host?: string
  /** Only ACLs of this operation. Default: all. */
  readonly operation?: AclOperation
  /** Only ACLs that allow, or only those that deny. Default: both. */
  readonly permission?: AclPermission
}

/** The three requests have the same fields for an entry; only the names of these two differ. */
interface AclNumbers {
  readonly resourceType: number
  readonly resourceName: string
  readonly patternType: number
  readonly principal: string
  readonly host: string
  readonly operation: number
  readonly permissionType: number
}

const TYPE_NAMES = namesOf(RESOURCE_TYPES)
const PATTERN_NAMES = namesOf(PATTERN_TYPES)
const PERMISSION_NAMES = namesOf(PERMISSIONS)

function namesOf<Name extends string>(
  numbers: Readonly<Record<Name, number>>,
): ReadonlyMap<number, Name> {
  return new Map(keysOf(numbers).map((name) => [numbers[name], name]))
}

/** Undefined for an entry of a kind that is newer than this client. */
export function aclOf(numbers: AclNumbers): Acl | undefined {
  const resourceType = TYPE_NAMES.get(numbers.resourceType)
  const patternType = PATTERN_NAMES.get(numbers.patternType)
  const permission = PERMISSION_NAMES.get(numbers.permissionType)
  if (resourceType === undefined || permission === undefined) return undefined
  if (patternType !== 'literal' && patternType !== 'prefixed') return undefined
  const { resourceName, principal, host } = numbers
  const operation = operationName(numbers.operation)
  return { resourceType, resourceName, patternType, principal, host, operation, permission }
}

export function creationOf(acl: NewAcl, hasPatterns: boolean) {
  return {
    resourceType: RESOURCE_TYPES[acl.resourceType],
    resourceName: acl.resourceName,
    ...(hasPatterns ? { resourcePatternType: PATTERN_TYPES[acl.patternType ?? 'literal'] } : {}),
    principal: acl.principal,
    host: acl.host ?? '*',
    operation: operationCode(acl.operation),
    permissionType: PERMISSIONS[acl.permission ?? 'allow'],
  }
}

export function filterOf(filter: AclFilter, hasPatterns: boolean) {
  const { resourceType, operation, permission } = filter
  return {
    resourceTypeFilter: resourceType === undefined ? ANY : RESOURCE_TYPES[resourceType],
    resourceNameFilter: filter.resourceName ?? null,
    ...(hasPatterns ? { patternTypeFilter: PATTERN_TYPES[filter.patternType ?? 'any'] } : {}),
    principalFilter: filter.principal ?? null,
    hostFilter: filter.host ?? null,
    operation: operation === undefined ? ANY : operationCode(operation),
    permissionType: permission === undefined ? ANY : PERMISSIONS[permission],
  }
}

export function compareAcls(a: Acl, b: Acl): number {
  return (
    compareText(a.resourceType, b.resourceType) ||
    compareText(a.resourceName, b.resourceName) ||
    compareText(a.patternType, b.patternType) ||
    compareText(a.principal, b.principal) ||
    compareText(a.host, b.host) ||
    compareText(a.operation, b.operation) ||
    compareText(a.permission, b.permission)
  )
}

/** For errors: `allow User:alice read on topic 'orders'`. */
export function describeAcl(acl: NewAcl | AclFilter): string {
  const { permission = 'allow', principal = 'anyone', operation = 'any operation' } = acl
  const { resourceType = 'any resource', resourceName, patternType } = acl
  const prefix = patternType === 'prefixed' ? 'names with the prefix ' : ''
  const name = resourceName === undefined ? '' : ` ${prefix}'${resourceName}'`
  return `${permission} ${principal} ${operation} on ${resourceType}${name}`
}

const aResourceType = aKeyOf(RESOURCE_TYPES)
const anOperation = oneOf(...ACL_OPERATIONS.filter((name) => name !== 'unknown' && name !== 'any'))
const aPermission = aKeyOf(PERMISSIONS)

/** The checks and defaults of `NewAcl`. */
export const NEW_ACL = {
  resourceType: { check: aResourceType, required: true },
  resourceName: { check: aString, required: true },
  patternType: { check: oneOf('literal', 'prefixed'), default: 'literal' },
  principal: { check: aString, required: true },
  host: { check: aString, default: '*' },
  operation: { check: anOperation, required: true },
  permission: { check: aPermission, default: 'allow' },
} as const satisfies OptionTable<NewAcl>

/** The checks and defaults of `AclFilter`. */
export const ACL_FILTER = {
  resourceType: { check: aResourceType, defaultText: 'all' },
  resourceName: { check: aString, defaultText: 'all' },
  patternType: { check: aKeyOf(PATTERN_TYPES), default: 'any' },
  principal: { check: aString, defaultText: 'all' },
  host: { check: aString, defaultText: 'all' },
  operation: { check: anOperation, defaultText: 'all' },
  permission: { check: aPermission, defaultText: 'both' },
} as const satisfies OptionTable<AclFilter>

/** Throws InvalidArgumentError. */
export function checkNewAcl(operation: string, acl: NewAcl): void {
  checkTable(`an ACL of ${operation}`, acl, NEW_ACL)
  if (!acl.principal.includes(':')) {
    throw new InvalidArgumentError(
      `an ACL of ${operation}: option 'principal' must have a type, such as 'User:alice', not ${shown(acl.principal)}`,
    )
  }
}

/** Throws InvalidArgumentError. */
export function checkFilter(operation: string, filter: AclFilter): void {
  checkTable(`a filter of ${operation}`, filter, ACL_FILTER)
}
