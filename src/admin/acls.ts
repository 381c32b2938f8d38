import { createAcls as createAclsApi } from '../../protocol/apis/create-acls.ts'
import { deleteAcls as deleteAclsApi } from '../../protocol/apis/delete-acls.ts'
import { describeAcls as describeAclsApi } from '../../protocol/apis/describe-acls.ts'
import { CALL_OPTIONS, type CallOptions } from '../call-options.ts'
import { InvalidArgumentError, requiresKafka } from '../errors.ts'
import {
  aclOf,
  checkFilter,
  checkNewAcl,
  compareAcls,
  creationOf,
  describeAcl,
  filterOf,
  type Acl,
  type AclFilter,
  type NewAcl,
} from './acl.ts'
import { CHANGE_OPTIONS, begin, type AdminContext, type ChangeOptions } from './context.ts'
import { checkArray, type Item, itemError, outcomeOf, settled } from './items.ts'

/** The result of `createAcls` for one ACL. */
export interface CreatedAcl extends Acl, Item {}

/** An ACL that `deleteAcls` found, with an error if it was not deleted. */
export interface DeletedAcl extends Acl, Item {}

/** The result of `deleteAcls` for one filter. */
export interface DeletedAcls extends Item {
  /** The filter as it was given. */
  readonly filter: AclFilter
  /** The entries that matched, in order; an entry that could not be deleted has an `error`. */
  readonly deleted: readonly DeletedAcl[]
}

/** Before this version (Kafka 2.0, KIP-290) every entry is literal. */
const WITH_PATTERN_TYPES = 1

export function aclOperations(context: AdminContext) {
  const { cluster } = context
  return {
    /**
     * Returns the access control entries that match the filter, by resource and principal (Kafka
     * 0.11 or newer). Throws BrokerError: SECURITY_DISABLED if the brokers have no authorizer,
     * CLUSTER_AUTHORIZATION_FAILED without the right to describe the cluster.
     */
    async describeAcls(filter: AclFilter = {}, options: CallOptions = {}): Promise<readonly Acl[]> {
      const operation = 'describeAcls'
      const { deadline } = begin(context, operation, options, CALL_OPTIONS)
      checkFilter(operation, filter)
      const { resources } = await cluster.router.call(
        describeAclsApi,
        (version) => filterOf(filter, hasPatterns(version, [filter])),
        { to: 'any', what: 'describing ACLs', deadline },
      )
      return resources
        .flatMap(({ acls, ...resource }) =>
          acls.flatMap((acl) => aclOf({ ...resource, ...acl }) ?? []),
        )
        .sort(compareAcls)
    },

    /**
     * Creates access control entries; an entry that already exists counts as created (Kafka 0.11 or
     * newer). Throws ItemsFailedError.
     */
    async createAcls(
      acls: readonly NewAcl[],
      options: ChangeOptions = {},
    ): Promise<readonly CreatedAcl[]> {
      const operation = 'createAcls'
      const { deadline, settle } = begin(context, operation, options, CHANGE_OPTIONS)
      checkArray(operation, 'ACLs', acls)
      for (const acl of acls) checkNewAcl(operation, acl)
      const outcomes = await cluster.fanOut.run<NewAcl, undefined>({
        items: acls,
        to: () => 'any',
        what: 'creating ACLs',
        deadline,
        ask: async (items, recipient) => {
          const { results } = await recipient.request(createAclsApi, (version) => {
            const patterns = hasPatterns(version, items)
            return { creations: items.map((acl) => creationOf(acl, patterns)) }
          })
          return results.flatMap(({ errorCode, errorMessage }, index) => {
            const acl = items[index]
            if (acl === undefined) return []
            const what = `creating the ACL '${describeAcl(acl)}'`
            return [
              outcomeOf(acl, itemError(errorCode, what, recipient.name, errorMessage), undefined),
            ]
          })
        },
      })
      const results = outcomes.map(({ item, error }) => ({
        resourceType: item.resourceType,
        resourceName: item.resourceName,
        patternType: item.patternType ?? 'literal',
        principal: item.principal,
        host: item.host ?? '*',
        operation: item.operation,
        permission: item.permission ?? 'allow',
        ...(error === undefined ? {} : { error }),
      }))
      return settled(operation, results, settle)
    },

    /**
     * Deletes the access control entries that match the filters, and returns them by filter (Kafka
     * 0.11 or newer). An empty filter is rejected; `{ patternType: 'any' }` stands for all entries.
     * `describeAcls` shows what a filter would delete. Throws ItemsFailedError.
     */
    async deleteAcls(
      filters: readonly AclFilter[],
      options: ChangeOptions = {},
    ): Promise<readonly DeletedAcls[]> {
      const operation = 'deleteAcls'
      const { deadline, settle } = begin(context, operation, options, CHANGE_OPTIONS)
      checkArray(operation, 'filters', filters)
      for (const filter of filters) {
        checkFilter(operation, filter)
        if (Object.values(filter).every((value) => value === undefined)) {
          throw new InvalidArgumentError(
            `${operation}: a filter without any field would delete all ACLs; pass { patternType: 'any' } to delete them all`,
          )
        }
      }
      const outcomes = await cluster.fanOut.run<AclFilter, readonly DeletedAcl[]>({
        items: filters,
        to: () => 'any',
        what: 'deleting ACLs',
        deadline,
        ask: async (items, recipient) => {
          const { filterResults } = await recipient.request(deleteAclsApi, (version) => {
            const patterns = hasPatterns(version, items)
            return { filters: items.map((filter) => filterOf(filter, patterns)) }
          })
          return filterResults.flatMap(({ errorCode, errorMessage, matchingAcls }, index) => {
            const filter = items[index]
            if (filter === undefined) return []
            const what = `deleting the ACLs that match '${describeAcl(filter)}'`
            const error = itemError(errorCode, what, recipient.name, errorMessage)
            const deleted = matchingAcls.flatMap((matching): DeletedAcl[] => {
              const acl = aclOf(matching)
              if (acl === undefined) return []
              const named = `deleting the ACL '${describeAcl(acl)}'`
              const failed = itemError(
                matching.errorCode,
                named,
                recipient.name,
                matching.errorMessage,
              )
              return [failed === undefined ? acl : { ...acl, error: failed }]
            })
            return [outcomeOf(filter, error, deleted.sort(compareAcls))]
          })
        },
      })
      const results = outcomes.map(({ item: filter, result = [], error }): DeletedAcls => {
        const failure = error ?? result.find((one) => one.error !== undefined)?.error
        return { filter, deleted: result, ...(failure === undefined ? {} : { error: failure }) }
      })
      return settled(operation, results, settle)
    },
  }
}

/** Throws UnsupportedVersionError if brokers of this version do not support the pattern. */
function hasPatterns(version: number, all: readonly (NewAcl | AclFilter)[]): boolean {
  if (version >= WITH_PATTERN_TYPES) return true
  const newer = all.find(({ patternType }) => patternType === 'prefixed' || patternType === 'match')
  if (newer === undefined) return false
  throw requiresKafka(`the pattern type '${newer.patternType}' of ACLs`, '2.0')
}
