import type { OptionTable } from '../../option-table.ts'
import { aBoolean, anArrayOf, type Check } from '../../options.ts'
import type { ClusterStorage } from '../storage/cluster-storage.ts'
import {
  covers,
  isAbout,
  isFor,
  aclKey,
  matches,
  OPERATION,
  PATTERN,
  PERMISSION,
  WILDCARD,
  type Acl,
  type AclFilter,
  type ResourceRef,
  type Subject,
} from './acl.ts'

/** The options of access control in an embedded cluster. */
export interface EmbeddedAuthorizerOptions {
  /**
   * Principals that may perform all operations, such as `User:admin`; Kafka's `super.users`.
   * Default: none.
   */
  readonly superUsers?: readonly string[]
  /**
   * Whether everyone may access a resource that no ACL applies to; Kafka's
   * `allow.everyone.if.no.acl.found`. Default: false.
   */
  readonly allowEveryoneIfNoAclFound?: boolean
}

const aPrincipal: Check = (value) =>
  typeof value === 'string' && /^[^:]+:./.test(value)
    ? undefined
    : "must be a principal, such as 'User:admin'"

/** The checks and defaults of `EmbeddedAuthorizerOptions`. */
export const EMBEDDED_AUTHORIZER_OPTIONS = {
  superUsers: { check: anArrayOf(aPrincipal), defaultText: 'none' },
  allowEveryoneIfNoAclFound: { check: aBoolean, default: false },
} as const satisfies OptionTable<EmbeddedAuthorizerOptions>

/** Authorizes operations as Kafka's StandardAuthorizer does. */
export class Authorizer {
  readonly #superUsers: ReadonlySet<string>
  readonly #allowsByDefault: boolean
  readonly #acls: Map<string, Acl>
  readonly #storage: ClusterStorage
  /** Without options everything is allowed, and there are no ACLs. */
  readonly isEnabled: boolean

  constructor(options: EmbeddedAuthorizerOptions | undefined, storage: ClusterStorage) {
    this.isEnabled = options !== undefined
    this.#superUsers = new Set(options?.superUsers)
    const { allowEveryoneIfNoAclFound } = EMBEDDED_AUTHORIZER_OPTIONS
    this.#allowsByDefault = options?.allowEveryoneIfNoAclFound ?? allowEveryoneIfNoAclFound.default
    this.#storage = storage
    this.#acls = new Map(storage.saved.acls.map((acl) => [aclKey(acl), acl]))
  }

  /** One denial takes precedence over all permissions. */
  allows(subject: Subject, operation: number, resource: ResourceRef): boolean {
    if (!this.isEnabled || this.#superUsers.has(subject.principal)) return true
    let isMentioned = false
    let isAllowed = false
    for (const acl of this.#acls.values()) {
      if (!isAbout(acl, resource)) continue
      isMentioned = true
      if (!isFor(acl, subject) || !covers(acl, operation)) continue
      if (acl.permissionType === PERMISSION.deny) return false
      isAllowed = true
    }
    return isAllowed || (!isMentioned && this.#allowsByDefault)
  }

  /** Whether the operation is allowed on at least one resource of the type (KIP-679). */
  allowsOnAny(subject: Subject, operation: number, type: number): boolean {
    // No resource has this name, so only the rules for all names apply.
    if (this.allows(subject, operation, { type, name: 'hardcode' })) return true
    const relevant = [...this.#acls.values()].filter(
      (acl) =>
        acl.resourceType === type &&
        isFor(acl, subject) &&
        (acl.operation === operation || acl.operation === OPERATION.all),
    )
    const denials = relevant.filter(({ permissionType }) => permissionType === PERMISSION.deny)
    const isDenied = (allowed: Acl) =>
      denials.some((denied) =>
        denied.patternType === PATTERN.prefixed
          ? allowed.resourceName.startsWith(denied.resourceName)
          : denied.resourceName === WILDCARD ||
            (allowed.patternType === PATTERN.literal &&
              denied.resourceName === allowed.resourceName),
      )
    return relevant.some((acl) => acl.permissionType === PERMISSION.allow && !isDenied(acl))
  }

  matching(filter: AclFilter): readonly Acl[] {
    return [...this.#acls.values()].filter((acl) => matches(acl, filter))
  }

  create(acl: Acl): void {
    const key = aclKey(acl)
    if (this.#acls.has(key)) return
    this.#storage.save({ kind: 'acl', ...acl })
    this.#acls.set(key, acl)
  }

  delete(acl: Acl): void {
    const key = aclKey(acl)
    if (!this.#acls.has(key)) return
    this.#storage.save({ kind: 'aclDeleted', ...acl })
    this.#acls.delete(key)
  }
}
