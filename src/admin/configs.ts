import { describeConfigs as describeConfigsApi } from '../../protocol/apis/describe-configs.ts'
import { incrementalAlterConfigs } from '../../protocol/apis/incremental-alter-configs.ts'
import {
  listConfigResources as listConfigResourcesApi,
  type ListConfigResourcesResponse,
} from '../../protocol/apis/list-config-resources.ts'
import type { Deadline } from '../async/deadline.ts'
import { CALL_OPTIONS, type CallOptions } from '../call-options.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { Outcome } from '../cluster/fan-out.ts'
import type { Recipient } from '../cluster/recipient.ts'
import type { Target } from '../cluster/target.ts'
import { InvalidArgumentError, UnsupportedVersionError, requiresKafka } from '../errors.ts'
import { checkTable, type OptionTable } from '../option-table.ts'
import {
  aBoolean,
  aKeyOf,
  anArrayOf,
  aString,
  aTableOf,
  aText,
  oneOf,
  checkValue,
  shown,
} from '../options.ts'
import { CHANGE_OPTIONS, begin, type AdminContext, type ChangeOptions } from './context.ts'
import {
  checkArray,
  compareText,
  type Item,
  itemError,
  outcomeOf,
  retryUnlessUnknown,
  settled,
} from './items.ts'

/** Kafka's numbers of the types of resources that have configs. */
const RESOURCE_TYPES = {
  topic: 2,
  broker: 4,
  brokerLogger: 8,
  clientMetrics: 16,
  group: 32,
} as const

/** The type of a resource that has configs (Kafka's ConfigResource.Type). */
export type ConfigResourceType = keyof typeof RESOURCE_TYPES

/** A resource that has configs, such as the topic `orders`. */
export interface ConfigResource {
  /** The kind of resource. */
  readonly type: ConfigResourceType
  /**
   * The name of a topic or group, or a node id as text; an empty broker name stands for the
   * defaults of all brokers.
   */
  readonly name: string
}

/** The checks of `ConfigResource`. */
export const CONFIG_RESOURCE = {
  type: { check: aKeyOf(RESOURCE_TYPES), required: true },
  name: { check: aText, required: true },
} as const satisfies OptionTable<ConfigResource>

/** Kafka's numbers of the sources of a value. */
const CONFIG_SOURCES = [
  'unknown',
  'topic',
  'dynamicBroker',
  'dynamicDefaultBroker',
  'staticBroker',
  'default',
  'dynamicBrokerLogger',
  'clientMetrics',
  'group',
] as const

/** The source of a config's value (Kafka's ConfigSource). */
export type ConfigSource = (typeof CONFIG_SOURCES)[number]

const CONFIG_TYPES = [
  'unknown',
  'boolean',
  'string',
  'int',
  'short',
  'long',
  'double',
  'list',
  'class',
  'password',
] as const

/** The type of a config's value (Kafka's ConfigType). */
export type ConfigType = (typeof CONFIG_TYPES)[number]

/** A config that the value could come from, such as the broker's default of a topic's config. */
export interface ConfigSynonym {
  readonly name: string
  /** The value of that config; null if it has none or is sensitive. */
  readonly value: string | null
  /** The place where that config is set. */
  readonly source: ConfigSource
}

/** A config of a resource, as `describeConfigs` returns it. */
export interface ConfigEntry {
  readonly name: string
  /** Null if there is no value, and for passwords. */
  readonly value: string | null
  /** The source of the value. */
  readonly source: ConfigSource
  /** Whether the config has its default, because it is not set anywhere. */
  readonly isDefault: boolean
  /** Whether the config can only be changed in the broker's file, which needs a restart. */
  readonly isReadOnly: boolean
  /** Whether the value is a secret, which brokers do not return. */
  readonly isSensitive: boolean
  /** Undefined before Kafka 2.6. */
  readonly type?: ConfigType
  /** The configs that would apply without this value, in order; only with `includeSynonyms`. */
  readonly synonyms?: readonly ConfigSynonym[]
  /** Only with `includeDocumentation` (Kafka 2.6 or newer). */
  readonly documentation?: string
}

/** The result of `describeConfigs` for one resource. */
export interface ResourceConfigs extends ConfigResource, Item {
  /** Sorted by name; empty if there is an error. */
  readonly configs: readonly ConfigEntry[]
}

/** The options of `describeConfigs`. */
export interface DescribeConfigsOptions extends CallOptions {
  /** Only these configs. Default: all. */
  readonly names?: readonly string[]
  /** Whether each config has the `synonyms` that its value could come from (Kafka 1.1 or newer). Default: false. */
  readonly includeSynonyms?: boolean
  /** Whether each config has its `documentation` (Kafka 2.6 or newer). Default: false. */
  readonly includeDocumentation?: boolean
}

/** The checks and defaults of `DescribeConfigsOptions`. */
export const DESCRIBE_CONFIGS_OPTIONS = {
  ...CALL_OPTIONS,
  names: { check: anArrayOf(aString), defaultText: 'all' },
  includeSynonyms: { check: aBoolean, default: false },
  includeDocumentation: { check: aBoolean, default: false },
} as const satisfies OptionTable<DescribeConfigsOptions>

/** Changes of one resource. Configs that are not named stay as they are. */
export interface ConfigChange extends ConfigResource {
  /** New values, by the name of the config. Default: none. */
  readonly set?: Readonly<Record<string, string>>
  /** Configs to reset to their defaults, by name. Default: none. */
  readonly delete?: readonly string[]
  /** Elements to add to list configs, by the name of the config. Default: none. */
  readonly append?: Readonly<Record<string, string>>
  /** Elements to remove from list configs, by the name of the config. Default: none. */
  readonly subtract?: Readonly<Record<string, string>>
}

/** The checks and defaults of `ConfigChange`. */
export const CONFIG_CHANGE = {
  ...CONFIG_RESOURCE,
  set: { check: aTableOf(aText), defaultText: 'none' },
  delete: { check: anArrayOf(aString), defaultText: 'none' },
  append: { check: aTableOf(aText), defaultText: 'none' },
  subtract: { check: aTableOf(aText), defaultText: 'none' },
} as const satisfies OptionTable<ConfigChange>

/** The result of `incrementalAlterConfigs` for one resource. */
export interface ResourceResult extends ConfigResource, Item {}

/** The options of `incrementalAlterConfigs`. */
export interface AlterConfigsOptions extends ChangeOptions {
  /** Checks whether the changes are possible, without making them. Default: false. */
  readonly validateOnly?: boolean
}

/** The checks and defaults of `AlterConfigsOptions`. */
export const ALTER_CONFIGS_OPTIONS = {
  ...CHANGE_OPTIONS,
  validateOnly: { check: aBoolean, default: false },
} as const satisfies OptionTable<AlterConfigsOptions>

/** Kafka's numbers of the operations on a config. */
const OPERATIONS = { set: 0, delete: 1, append: 2, subtract: 3 } as const

/**
 * A topic has about 35 configs. The response about 1,000 topics has a few MB, which a broker builds
 * in memory.
 */
const RESOURCES_IN_A_REQUEST = 1_000

const WITH_SYNONYMS = 1
const WITH_DOCUMENTATION = 3
const WITH_ALL_TYPES = 1

export function configOperations(context: AdminContext) {
  const { cluster } = context
  return {
    /**
     * Returns the configs of topics, brokers and other resources, in the given order (Kafka 0.11 or
     * newer).
     */
    async describeConfigs(
      resources: readonly ConfigResource[],
      options: DescribeConfigsOptions = {},
    ): Promise<readonly ResourceConfigs[]> {
      const operation = 'describeConfigs'
      const { deadline, ...settings } = begin(context, operation, options, DESCRIBE_CONFIGS_OPTIONS)
      checkResources(operation, resources)
      for (const one of resources) checkTable(`a resource of ${operation}`, one, CONFIG_RESOURCE)
      const outcomes = await cluster.fanOut.run<ConfigResource, readonly ConfigEntry[]>({
        items: resources,
        to: targetOf,
        what: 'describing configs',
        deadline,
        maxItems: RESOURCES_IN_A_REQUEST,
        retry: retryUnlessUnknown,
        ask: (items, recipient) => describe(items, recipient, settings),
      })
      return outcomes.map(({ item: { type, name }, result, error }) =>
        error === undefined ? { type, name, configs: result } : { type, name, configs: [], error },
      )
    },

    /**
     * Changes the configs that are named and leaves the others as they are (KIP-339, Kafka 2.3 or
     * newer). Kafka's older request replaces all configs of a resource and is not offered: two
     * clients would overwrite each other's changes. Throws ItemsFailedError.
     */
    async incrementalAlterConfigs(
      changes: readonly ConfigChange[],
      options: AlterConfigsOptions = {},
    ): Promise<readonly ResourceResult[]> {
      const operation = 'incrementalAlterConfigs'
      const settings = begin(context, operation, options, ALTER_CONFIGS_OPTIONS)
      const { deadline, settle, validateOnly } = settings
      checkResources(operation, changes)
      for (const change of changes) checkChange(operation, change)
      const outcomes = await cluster.fanOut.run<ConfigChange, undefined>({
        items: changes,
        to: (change) => changeTargetOf(change, cluster.options.bootstrapsFromControllers),
        what: 'changing configs',
        deadline,
        maxItems: RESOURCES_IN_A_REQUEST,
        retry: retryUnlessUnknown,
        ask: async (items, recipient) => {
          const { responses } = await recipient.request(incrementalAlterConfigs, {
            resources: items.map((change) => ({
              resourceType: RESOURCE_TYPES[change.type],
              resourceName: change.name,
              configs: entriesOf(change),
            })),
            validateOnly,
          })
          return matched(items, responses, 'changing the configs of', recipient, () => undefined)
        },
      })
      const results = outcomes.map(({ item: { type, name }, error }) => ({
        type,
        name,
        ...(error === undefined ? {} : { error }),
      }))
      return settled(operation, results, settle)
    },

    /**
     * Returns the resources that have configs of their own, by type and name: topics, brokers,
     * loggers, groups, client metrics (Kafka 4.1 or newer; Kafka 3.7 to 4.0 list only client
     * metrics).
     */
    async listConfigResources(
      types: readonly ConfigResourceType[] = [],
      options: CallOptions = {},
    ): Promise<readonly ConfigResource[]> {
      const operation = 'listConfigResources'
      const { deadline } = begin(context, operation, options, CALL_OPTIONS)
      checkValue(`${operation}: each type`, types, anArrayOf(oneOf(...Object.keys(RESOURCE_TYPES))))
      const isClientMetrics = types.length === 1 && types[0] === 'clientMetrics'
      const { configResources } = await listResources(cluster, types, isClientMetrics, deadline)
      return configResources
        .flatMap(({ resourceType, resourceName: name }) => {
          const type = typeOf(resourceType)
          return type === undefined ? [] : [{ type, name }]
        })
        .sort((a, b) => compareText(a.type, b.type) || compareText(a.name, b.name))
    },
  }
}

/**
 * Brokers from 3.7 on list client metrics with this request; from 4.1 on they list the other types
 * too (KIP-1142).
 */
async function listResources(
  cluster: Cluster,
  types: readonly ConfigResourceType[],
  isClientMetrics: boolean,
  deadline: Deadline,
): Promise<ListConfigResourcesResponse> {
  const tooOld = () => requiresKafka('listing config resources other than client metrics', '4.1')
  try {
    return await cluster.router.call(
      listConfigResourcesApi,
      (version) => {
        if (version >= WITH_ALL_TYPES) {
          return { resourceTypes: types.map((type) => RESOURCE_TYPES[type]) }
        }
        if (!isClientMetrics) throw tooOld()
        return {}
      },
      { to: 'any', what: 'listing the resources with configs', deadline },
    )
  } catch (error) {
    // The error concerns the version of the API, which is older than its support for these types.
    if (error instanceof UnsupportedVersionError && !isClientMetrics) throw tooOld()
    throw error
  }
}

/**
 * Only the broker itself knows its own configs and loggers; every broker knows those of the other
 * resources.
 */
function targetOf({ type, name }: ConfigResource): Target {
  const isOfBroker = type === 'broker' || type === 'brokerLogger'
  return isOfBroker && name !== '' ? { broker: Number(name) } : 'any'
}

/** Controllers also change the configs of brokers: the brokers receive the new values from them. */
function changeTargetOf(resource: ConfigResource, byControllers: boolean): Target {
  const target = targetOf(resource)
  return target === 'any' || byControllers ? 'controller' : target
}

async function describe(
  items: readonly ConfigResource[],
  recipient: Recipient,
  { names, includeSynonyms = false, includeDocumentation = false }: DescribeConfigsOptions,
): Promise<readonly Outcome<ConfigResource, readonly ConfigEntry[]>[]> {
  let version = 0
  const { results } = await recipient.request(describeConfigsApi, (negotiated) => {
    version = negotiated
    return {
      resources: items.map(({ type, name }) => ({
        resourceType: RESOURCE_TYPES[type],
        resourceName: name,
        configurationKeys: names === undefined ? null : [...names],
      })),
      ...(negotiated < WITH_SYNONYMS ? {} : { includeSynonyms }),
      ...(negotiated < WITH_DOCUMENTATION ? {} : { includeDocumentation }),
    }
  })
  const sorted = sorterByName()
  return matched(items, results, 'describing the configs of', recipient, ({ configs }) =>
    sorted(configs).map((found): ConfigEntry => {
      const source = sourceOf(found.configSource)
      const type = version < WITH_DOCUMENTATION ? undefined : CONFIG_TYPES[found.configType]
      // Fields are added without spreads: a thousand topics have 35,000 configs.
      const entry: { -readonly [Key in keyof ConfigEntry]: ConfigEntry[Key] } = {
        name: found.name,
        value: found.value,
        source,
        isDefault: version < WITH_SYNONYMS ? found.isDefault : source === 'default',
        isReadOnly: found.readOnly,
        isSensitive: found.isSensitive,
      }
      if (type !== undefined) entry.type = type
      if (includeSynonyms) {
        entry.synonyms = found.synonyms.map((synonym) => ({
          name: synonym.name,
          value: synonym.value,
          source: sourceOf(synonym.source),
        }))
      }
      const { documentation } = found
      if (includeDocumentation && documentation !== null && documentation !== '') {
        entry.documentation = documentation
      }
      return entry
    }),
  )
}

interface Named {
  readonly name: string
}

/**
 * Returns a function that sorts lists by name. Most resources of a response have configs of the same names in the same
 * order: the order of the first list is computed once, and used for the next lists while it fits.
 */
function sorterByName(): <One extends Named>(list: readonly One[]) => readonly One[] {
  let names: readonly string[] = []
  let order: readonly number[] = []
  return (list) => {
    const fits =
      list.length === names.length && list.every(({ name }, index) => name === names[index])
    if (!fits) {
      const given = list.map(({ name }) => name)
      names = given
      order = given.map((_, index) => index).sort((a, b) => compareText(given[a]!, given[b]!))
    }
    return order.map((index) => list[index]!)
  }
}

interface ResourceResponse {
  readonly resourceType: number
  readonly resourceName: string
  readonly errorCode: number
  readonly errorMessage: string | null
}

/** Returns the outcomes of the resources in a response. */
function matched<Resource extends ConfigResource, Response extends ResourceResponse, Result>(
  items: readonly Resource[],
  responses: readonly Response[],
  what: string,
  { name: broker }: Recipient,
  resultOf: (response: Response) => Result,
): readonly Outcome<Resource, Result>[] {
  const found = new Map(responses.map((one) => [`${one.resourceType} ${one.resourceName}`, one]))
  return items.flatMap((item) => {
    const response = found.get(`${RESOURCE_TYPES[item.type]} ${item.name}`)
    if (response === undefined) return []
    const { errorCode, errorMessage } = response
    const named = `${what} ${item.type} '${item.name}'`
    const where = item.type === 'topic' ? { topic: item.name } : {}
    const error = itemError(errorCode, named, broker, errorMessage, where)
    return [outcomeOf(item, error, resultOf(response))]
  })
}

function entriesOf({ set = {}, delete: deleted = [], append = {}, subtract = {} }: ConfigChange) {
  const valued = { set, append, subtract }
  return [
    ...(['set', 'append', 'subtract'] as const).flatMap((operation) =>
      Object.entries(valued[operation]).map(([name, value]) => ({
        name,
        configOperation: OPERATIONS[operation],
        value,
      })),
    ),
    ...deleted.map((name) => ({ name, configOperation: OPERATIONS.delete, value: null })),
  ]
}

function sourceOf(code: number): ConfigSource {
  return CONFIG_SOURCES[code] ?? 'unknown'
}

function typeOf(code: number): ConfigResourceType | undefined {
  switch (code) {
    case RESOURCE_TYPES.topic:
      return 'topic'
    case RESOURCE_TYPES.broker:
      return 'broker'
    case RESOURCE_TYPES.brokerLogger:
      return 'brokerLogger'
    case RESOURCE_TYPES.clientMetrics:
      return 'clientMetrics'
    case RESOURCE_TYPES.group:
      return 'group'
    default:
      return undefined
  }
}

function checkResources(operation: string, resources: readonly ConfigResource[]): void {
  checkArray(operation, 'resources', resources)
  const seen = new Set<string>()
  // Callers without types may pass any elements.
  const all: readonly (Partial<ConfigResource> | null | undefined)[] = resources
  for (const given of all) {
    const { type, name } = given ?? {}
    if (type === undefined || !Object.hasOwn(RESOURCE_TYPES, type) || typeof name !== 'string') {
      const types = Object.keys(RESOURCE_TYPES).join(', ')
      throw new InvalidArgumentError(
        `${operation}: a resource must be { type, name } with one of the types ${types}, not ${shown(given)}`,
      )
    }
    const isOfBroker = type === 'broker' || type === 'brokerLogger'
    if (isOfBroker && name !== '' && !/^\d+$/.test(name)) {
      throw new InvalidArgumentError(
        `${operation}: the name of a broker must be its node id, not '${name}'`,
      )
    }
    if (seen.has(`${type} ${name}`)) {
      throw new InvalidArgumentError(`${operation}: ${type} '${name}' is given twice`)
    }
    seen.add(`${type} ${name}`)
  }
}

function checkChange(operation: string, change: ConfigChange): void {
  checkTable(`a change of ${operation}`, change, CONFIG_CHANGE)
  const names = entriesOf(change).map(({ name }) => name)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) {
    throw new InvalidArgumentError(
      `${operation}: the change of ${change.type} '${change.name}' contains '${twice}' twice`,
    )
  }
  if (names.length === 0) {
    throw new InvalidArgumentError(
      `${operation}: the change of ${change.type} '${change.name}' is empty`,
    )
  }
}
