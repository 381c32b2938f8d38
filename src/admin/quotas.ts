import { alterClientQuotas as alterApi } from '../../protocol/apis/alter-client-quotas.ts'
import { describeClientQuotas as describeApi } from '../../protocol/apis/describe-client-quotas.ts'
import { CALL_OPTIONS, type CallOptions } from '../call-options.ts'
import { InvalidArgumentError } from '../errors.ts'
import { checkTable, type OptionTable } from '../option-table.ts'
import {
  aBoolean,
  anArrayOf,
  anObject,
  aString,
  aTableOf,
  either,
  oneOf,
  type Check,
} from '../options.ts'
import { CHANGE_OPTIONS, begin, type AdminContext, type ChangeOptions } from './context.ts'
import { checkArray, compareText, type Item, itemError, outcomeOf, settled } from './items.ts'

/** Kafka's names of the parts of a quota's entity, by ours. */
const ENTITY_TYPES = { user: 'user', clientId: 'client-id', ip: 'ip' } as const
type EntityField = keyof typeof ENTITY_TYPES
const FIELDS: readonly EntityField[] = ['user', 'clientId', 'ip']

/** The entity of a quota: a user, a client id, both together, or an address. Null stands for Kafka's default. */
export interface QuotaEntity {
  /** The name of a user; null for the default of all users. Default: of any user. */
  readonly user?: string | null
  /** A client id; null for the default of all client ids. Default: with any client id. */
  readonly clientId?: string | null
  /** An address; null for the default of all addresses (Kafka 2.8 or newer). Default: from any address. */
  readonly ip?: string | null
}

const aName = either(aString, oneOf(null))

/** The checks of `QuotaEntity`. */
export const QUOTA_ENTITY = {
  user: { check: aName, defaultText: 'of any user' },
  clientId: { check: aName, defaultText: 'with any client id' },
  ip: { check: aName, defaultText: 'from any address' },
} as const satisfies OptionTable<QuotaEntity>

/** The quotas of one entity, as `describeClientQuotas` returns them. */
export interface ClientQuotas {
  /** The entity of the quotas. */
  readonly entity: QuotaEntity
  /**
   * By Kafka's names: `producer_byte_rate`, `consumer_byte_rate`, `request_percentage`,
   * `controller_mutation_rate`, `connection_creation_rate`.
   */
  readonly quotas: Readonly<Record<string, number>>
}

/**
 * A filter for entities. Each part is a name, null for the default, or true for any entity that has
 * this part.
 */
export interface QuotaFilter {
  /**
   * Quotas of this user; null: of the default user; true: of any user. Default: any user or none.
   */
  readonly user?: string | null | true
  /**
   * Quotas of this client id; null: of the default client id; true: of any client id. Default: any
   * client id or none.
   */
  readonly clientId?: string | null | true
  /**
   * Quotas of this address; null: of the default address; true: of any address. Default: any
   * address or none.
   */
  readonly ip?: string | null | true
  /** Leaves out entities with other parts than these. Default: false. */
  readonly strict?: boolean
}

const aMatch = either(aString, oneOf(null, true))

/** The checks and defaults of `QuotaFilter`. */
export const QUOTA_FILTER = {
  user: { check: aMatch, defaultText: 'any user or none' },
  clientId: { check: aMatch, defaultText: 'any client id or none' },
  ip: { check: aMatch, defaultText: 'any address or none' },
  strict: { check: aBoolean, default: false },
} as const satisfies OptionTable<QuotaFilter>

/** Changes of one entity. Quotas that are not named stay as they are. */
export interface QuotaChange {
  /** The entity of the quotas. */
  readonly entity: QuotaEntity
  /** New values, by the name of the quota, such as `producer_byte_rate` in bytes per second. Default: none. */
  readonly set?: Readonly<Record<string, number>>
  /** Quotas to remove, by name. Default: none. */
  readonly delete?: readonly string[]
}

const aNumber: Check<number> = (value) =>
  typeof value === 'number' && !Number.isNaN(value) ? undefined : 'must be a number'

/** The checks and defaults of `QuotaChange`. */
export const QUOTA_CHANGE = {
  entity: { check: anObject, required: true },
  set: { check: aTableOf(aNumber), defaultText: 'none' },
  delete: { check: anArrayOf(aString), defaultText: 'none' },
} as const satisfies OptionTable<QuotaChange>

/** The result of `alterClientQuotas` for one entity. */
export interface QuotaChangeResult extends Item {
  /** The entity of the quotas. */
  readonly entity: QuotaEntity
}

/** The options of `alterClientQuotas`. */
export interface AlterQuotasOptions extends ChangeOptions {
  /** Checks whether the changes are possible, without making them. Default: false. */
  readonly validateOnly?: boolean
}

/** The checks and defaults of `AlterQuotasOptions`. */
export const ALTER_QUOTAS_OPTIONS = {
  ...CHANGE_OPTIONS,
  validateOnly: { check: aBoolean, default: false },
} as const satisfies OptionTable<AlterQuotasOptions>

/** Kafka's numbers of the ways to match a part of an entity. */
const MATCH = { exact: 0, default: 1, any: 2 } as const

export function quotaOperations(context: AdminContext) {
  const { cluster } = context
  return {
    /**
     * Returns the quotas of the entities that match the filter, by entity (KIP-546, Kafka 2.6 or
     * newer).
     */
    async describeClientQuotas(
      filter: QuotaFilter = {},
      options: CallOptions = {},
    ): Promise<readonly ClientQuotas[]> {
      const operation = 'describeClientQuotas'
      const { deadline } = begin(context, operation, options, CALL_OPTIONS)
      checkTable(`the filter of ${operation}`, filter, QUOTA_FILTER)
      const { user, clientId, ip, strict = false } = filter
      const parts = { user, clientId, ip }
      const { entries } = await cluster.router.call(
        describeApi,
        {
          components: FIELDS.flatMap((field) => {
            const match = parts[field]
            return match === undefined
              ? []
              : [{ entityType: ENTITY_TYPES[field], ...matchOf(match) }]
          }),
          strict,
        },
        { to: 'any', what: 'describing client quotas', deadline },
      )
      return (entries ?? [])
        .map(({ entity, values }) => ({
          entity: entityOf(entity),
          quotas: Object.fromEntries(
            values
              .map(({ key, value }) => [key, value] as const)
              .sort(([a], [b]) => compareText(a, b)),
          ),
        }))
        .sort((a, b) => compareText(orderOf(a.entity), orderOf(b.entity)))
    },

    /**
     * Sets and removes quotas, and leaves the others as they are (KIP-546, Kafka 2.6 or newer).
     * Throws ItemsFailedError.
     */
    async alterClientQuotas(
      changes: readonly QuotaChange[],
      options: AlterQuotasOptions = {},
    ): Promise<readonly QuotaChangeResult[]> {
      const operation = 'alterClientQuotas'
      const settings = begin(context, operation, options, ALTER_QUOTAS_OPTIONS)
      const { deadline, settle, validateOnly } = settings
      checkChanges(operation, changes)
      const outcomes = await cluster.fanOut.run<QuotaChange, undefined>({
        items: changes,
        to: () => 'controller',
        what: 'altering client quotas',
        deadline,
        ask: async (items, recipient) => {
          const { entries } = await recipient.request(alterApi, {
            entries: items.map((change) => ({
              entity: partsOf(change.entity),
              ops: [
                ...Object.entries(change.set ?? {}).map(([key, value]) => ({
                  key,
                  value,
                  remove: false,
                })),
                ...(change.delete ?? []).map((key) => ({ key, value: 0, remove: true })),
              ],
            })),
            validateOnly,
          })
          const found = new Map(entries.map((one) => [keyOf(entityOf(one.entity)), one]))
          return items.flatMap((item) => {
            const one = found.get(keyOf(item.entity))
            if (one === undefined) return []
            const what = `altering the quotas of ${nameOf(item.entity)}`
            const error = itemError(one.errorCode, what, recipient.name, one.errorMessage)
            return [outcomeOf(item, error, undefined)]
          })
        },
      })
      const results = outcomes.map(({ item: { entity }, error }) => ({
        entity,
        ...(error === undefined ? {} : { error }),
      }))
      return settled(operation, results, settle)
    },
  }
}

function matchOf(match: string | null | true) {
  if (match === true) return { matchType: MATCH.any, match: null }
  return match === null
    ? { matchType: MATCH.default, match: null }
    : { matchType: MATCH.exact, match }
}

interface EntityPart {
  readonly entityType: string
  readonly entityName: string | null
}

function partsOf({ user, clientId, ip }: QuotaEntity): readonly EntityPart[] {
  const names = { user, clientId, ip }
  return FIELDS.flatMap((field) => {
    const entityName = names[field]
    return entityName === undefined ? [] : [{ entityType: ENTITY_TYPES[field], entityName }]
  })
}

function entityOf(parts: readonly EntityPart[]): QuotaEntity {
  const entries = FIELDS.flatMap((field) => {
    const part = parts.find(({ entityType }) => entityType === ENTITY_TYPES[field])
    return part === undefined ? [] : [[field, part.entityName] as const]
  })
  return Object.fromEntries(entries)
}

function keyOf(entity: QuotaEntity): string {
  return JSON.stringify(partsOf(entity))
}

/** By user, then by client id, then by address; the default before the names. */
function orderOf(entity: QuotaEntity): string {
  return FIELDS.map((field) => {
    const name = entity[field]
    return name === undefined ? '0' : name === null ? '1' : `2${name}`
  }).join('\0')
}

/** For errors: `user 'alice', clientId (default)`. */
function nameOf(entity: QuotaEntity): string {
  return FIELDS.flatMap((field) => {
    const name = entity[field]
    return name === undefined ? [] : [`${field} ${name === null ? '(default)' : `'${name}'`}`]
  }).join(', ')
}

/** Throws InvalidArgumentError. */
function checkChanges(operation: string, changes: readonly QuotaChange[]): void {
  checkArray(operation, 'changes', changes)
  const seen = new Set<string>()
  for (const change of changes) {
    checkTable(`a change of ${operation}`, change, QUOTA_CHANGE)
    const { entity, set = {}, delete: deleted = [] } = change
    checkTable(`an entity of ${operation}`, entity, QUOTA_ENTITY)
    const name = nameOf(entity)
    if (name === '') {
      throw new InvalidArgumentError(
        `an entity of ${operation} must have 'user', 'clientId' or 'ip'`,
      )
    }
    const keys = [...Object.keys(set), ...deleted]
    if (keys.length === 0)
      throw new InvalidArgumentError(`${operation}: the change of ${name} is empty`)
    const twice = keys.find((key, index) => keys.indexOf(key) !== index)
    if (twice !== undefined) {
      throw new InvalidArgumentError(
        `${operation}: the change of ${name} contains '${twice}' twice`,
      )
    }
    if (seen.has(keyOf(entity)))
      throw new InvalidArgumentError(`${operation}: ${name} is given twice`)
    seen.add(keyOf(entity))
  }
}
