/** Quotas of clients (KIP-546). */
import { alterClientQuotas } from '../../../protocol/apis/alter-client-quotas.ts'
import { describeClientQuotas } from '../../../protocol/apis/describe-client-quotas.ts'
import { authorizeCluster } from '../api/access.ts'
import { handler } from '../api/handler.ts'
import type { QuotaEntity } from '../quotas/quota-entity.ts'
import { outcomeOf, Refused } from '../refused.ts'

const TYPES = { user: 'user', clientId: 'client-id', ip: 'ip' } as const
const FIELDS = ['user', 'clientId', 'ip'] as const
type Field = (typeof FIELDS)[number]

const EXACT = 0
const DEFAULT = 1
const ANY = 2

/** The quotas of users and clients, and of addresses. */
const CLIENT_KEYS = [
  'producer_byte_rate',
  'consumer_byte_rate',
  'request_percentage',
  'controller_mutation_rate',
]
const IP_KEYS = ['connection_creation_rate']
/** Quotas without fractions. */
const WHOLE = new Set(['producer_byte_rate', 'consumer_byte_rate', 'connection_creation_rate'])

interface Component {
  readonly entityType: string
  readonly matchType: number
  readonly match: string | null
}

interface EntityPart {
  readonly entityType: string
  readonly entityName: string | null
}

export const describeClientQuotasHandler = handler(describeClientQuotas, {
  handle: ({ components, strict }, context) => {
    const outcome = outcomeOf(() => {
      authorizeCluster(context, 'describeConfigs')
      checkComponents(components)
      return context.security.quotas.all.filter(({ entity }) => fits(entity, components, strict))
    })
    if (outcome.refused !== undefined) {
      const { errorCode, detail } = outcome.refused
      return { throttleTimeMs: 0, errorCode, errorMessage: detail, entries: null }
    }
    return {
      throttleTimeMs: 0,
      errorCode: 0,
      errorMessage: '',
      entries: outcome.value.map(({ entity, values }) => ({
        entity: partsOf(entity),
        values: [...values].map(([key, value]) => ({ key, value })),
      })),
    }
  },
  refuse: (errorCode) => ({ throttleTimeMs: 0, errorCode, errorMessage: null, entries: null }),
})

/** Throws INVALID_REQUEST. */
function checkComponents(components: readonly Component[]): void {
  const seen = new Set<string>()
  for (const { entityType, matchType, match } of components) {
    if (entityType === '') throw new Refused('INVALID_REQUEST', 'Unexpected empty entity type.')
    if (seen.has(entityType)) {
      throw new Refused(
        'INVALID_REQUEST',
        `Entity type ${entityType} cannot appear more than once in the filter.`,
      )
    }
    seen.add(entityType)
    if (fieldOf(entityType) === undefined) {
      throw new Refused('UNSUPPORTED_VERSION', `Unsupported entity type ${entityType}`)
    }
    if (matchType === EXACT && match === null) {
      throw new Refused(
        'INVALID_REQUEST',
        'Request specified MATCH_TYPE_EXACT, but set match string to null.',
      )
    }
    if (matchType !== EXACT && match !== null) {
      const name = matchType === DEFAULT ? 'MATCH_TYPE_DEFAULT' : 'MATCH_TYPE_SPECIFIED'
      throw new Refused(
        'INVALID_REQUEST',
        `Request specified ${name}, but also specified a match string.`,
      )
    }
    if (matchType < EXACT || matchType > ANY) {
      throw new Refused('INVALID_REQUEST', `Unknown match type ${matchType}`)
    }
  }
}

function fits(entity: QuotaEntity, components: readonly Component[], strict: boolean): boolean {
  const parts = FIELDS.filter((field) => entity[field] !== undefined)
  if (strict && parts.length !== components.length) return false
  return components.every(({ entityType, matchType, match }) => {
    const field = fieldOf(entityType)
    const name = field === undefined ? undefined : entity[field]
    if (name === undefined) return false
    return matchType === ANY || name === (matchType === DEFAULT ? null : match)
  })
}

export const alterClientQuotasHandler = handler(alterClientQuotas, {
  handle: ({ entries, validateOnly }, context) => {
    const { quotas } = context.security
    return {
      throttleTimeMs: 0,
      entries: entries.map(({ entity: parts, ops }) => {
        const { refused } = outcomeOf(() => {
          authorizeCluster(context, 'alterConfigs', 'Cluster authorization failed.')
          const entity = entityOf(parts)
          const keys = entity.ip === undefined ? CLIENT_KEYS : IP_KEYS
          const changes = new Map<string, number | undefined>()
          for (const { key, value, remove } of ops) {
            if (!keys.includes(key)) {
              throw new Refused('INVALID_REQUEST', `Invalid configuration key ${key}`)
            }
            if (!remove) checkValue(key, value)
            changes.set(key, remove ? undefined : value)
          }
          if (!validateOnly) quotas.alter(entity, changes)
        })
        return {
          errorCode: refused?.errorCode ?? 0,
          errorMessage: refused?.detail ?? null,
          entity: parts,
        }
      }),
    }
  },
  refuse: (errorCode, { entries }) => ({
    throttleTimeMs: 0,
    entries: entries.map(({ entity }) => ({ errorCode, errorMessage: null, entity })),
  }),
})

/** Throws INVALID_REQUEST. */
function checkValue(key: string, value: number): void {
  if (value <= 0) throw new Refused('INVALID_REQUEST', `Quota ${key} must be greater than 0`)
  if (WHOLE.has(key) && Math.abs(value - Math.round(value)) > 1e-6) {
    throw new Refused('INVALID_REQUEST', `${key} cannot be a fractional value.`)
  }
}

/** Throws INVALID_REQUEST. */
function entityOf(parts: readonly EntityPart[]): QuotaEntity {
  if (parts.length === 0) throw new Refused('INVALID_REQUEST', 'Invalid empty client quota entity')
  const entity: { [field in Field]?: string | null } = {}
  for (const { entityType, entityName } of parts) {
    const field = fieldOf(entityType)
    if (field === undefined) {
      throw new Refused('INVALID_REQUEST', `Unhandled client quota entity type: ${entityType}`)
    }
    if (entity[field] !== undefined) {
      throw new Refused(
        'INVALID_REQUEST',
        `Client quota entity cannot contain duplicate entity type ${entityType}`,
      )
    }
    if (entityName === '') {
      throw new Refused('INVALID_REQUEST', `Empty ${entityType} not supported`)
    }
    entity[field] = entityName
  }
  if (entity.ip !== undefined && parts.length > 1) {
    throw new Refused(
      'INVALID_REQUEST',
      'Invalid quota entity combination, IP entity shouldnot be combined with User or ClientId',
    )
  }
  return entity
}

function partsOf(entity: QuotaEntity): readonly EntityPart[] {
  return FIELDS.flatMap((field) => {
    const entityName = entity[field]
    return entityName === undefined ? [] : [{ entityType: TYPES[field], entityName }]
  })
}

function fieldOf(entityType: string): Field | undefined {
  return FIELDS.find((field) => TYPES[field] === entityType)
}
