import { CONFIG_DEFINITIONS, TopicConfig } from '../cluster/topic-config.ts'
import { CONFIG_TYPE, type ConfigDefinition } from '../cluster/config-definition.ts'
import { BROKER_CONFIGS, type BrokerConfigDefinition } from '../cluster/broker-configs.ts'
import { BROKER_DOCUMENTATION, TOPIC_DOCUMENTATION } from '../cluster/config-documentation.ts'
import type { RequestContext } from '../api/context.ts'
import type { KafkaProfile } from '../versions/profiles.ts'

/** Kafka's numbers of the sources of a value. */
const SOURCE = { topic: 1, allBrokers: 3, broker: 4, default: 5 } as const

const MIN_INSYNC_REPLICAS = 'min.insync.replicas'

export function sourceOf(config: TopicConfig, name: string, profile: KafkaProfile): number {
  if (config.overrides.has(name)) return SOURCE.topic
  return isStored(name, profile) ? SOURCE.allBrokers : SOURCE.default
}

function isStored(name: string, { storesMinInsyncReplicas }: KafkaProfile): boolean {
  return storesMinInsyncReplicas && name === MIN_INSYNC_REPLICAS
}

/** The part of a DescribeConfigs request that applies to each resource. */
export interface ConfigWishes {
  /** Null or empty: all configs. */
  readonly names: readonly string[] | null
  readonly synonyms: boolean
  readonly documentation: boolean
}

export function areWished({
  names,
}: ConfigWishes): (definition: { readonly name: string }) => boolean {
  const wished = names === null || names.length === 0 ? undefined : new Set(names)
  return ({ name }) => wished?.has(name) ?? true
}

/** The entries of a DescribeConfigs response for a topic. */
export function topicEntries(
  config: TopicConfig,
  wishes: ConfigWishes,
  { version, cluster }: RequestContext,
) {
  const { profile } = cluster.settings
  return CONFIG_DEFINITIONS.filter(areWished(wishes)).map((definition) => ({
    name: definition.name,
    value: config.get(definition.name),
    readOnly: false,
    ...(version === 0 ? { isDefault: !config.overrides.has(definition.name) } : {}),
    configSource: sourceOf(config, definition.name, profile),
    isSensitive: false,
    synonyms: wishes.synonyms ? synonymsOf(config, definition, profile) : [],
    configType: CONFIG_TYPE[definition.type],
    documentation: wishes.documentation ? (TOPIC_DOCUMENTATION[definition.name] ?? null) : null,
  }))
}

/** The entries of one broker: its defaults, and the configs that the cluster was started with. */
export function brokerEntries(wishes: ConfigWishes, context: RequestContext) {
  const given = givenConfigs(context)
  return BROKER_CONFIGS.filter(areWished(wishes)).map((definition) =>
    brokerEntry(definition, brokerValues(definition, given, context), wishes, context),
  )
}

/** The entries of configs that were set for the whole cluster, as defaults of all brokers. */
export function allBrokersEntries(wishes: ConfigWishes, context: RequestContext) {
  return BROKER_CONFIGS.filter(areWished(wishes)).flatMap((definition) => {
    const values = brokerValues(definition, new Map(), context).filter(
      ({ source }) => source === SOURCE.allBrokers,
    )
    return values.length === 0 ? [] : [brokerEntry(definition, values, wishes, context)]
  })
}

interface SourcedValue {
  readonly name: string
  readonly value: string
  readonly source: number
}

/** The values of a config, in the order of their precedence. */
function brokerValues(
  { name, defaultValue }: BrokerConfigDefinition,
  given: ReadonlyMap<string, string>,
  { cluster }: RequestContext,
): readonly SourcedValue[] {
  const value = given.get(name)
  return [
    ...(defaultValue !== null && isStored(name, cluster.settings.profile)
      ? [{ name, value: defaultValue, source: SOURCE.allBrokers }]
      : []),
    ...(value === undefined ? [] : [{ name, value, source: SOURCE.broker }]),
    ...(defaultValue === null ? [] : [{ name, value: defaultValue, source: SOURCE.default }]),
  ]
}

function brokerEntry(
  { name, type, isReadOnly }: BrokerConfigDefinition,
  values: readonly SourcedValue[],
  wishes: ConfigWishes,
  { version }: RequestContext,
) {
  const configSource = values[0]?.source ?? SOURCE.default
  return {
    name,
    value: values[0]?.value ?? null,
    readOnly: isReadOnly,
    ...(version === 0 ? { isDefault: configSource === SOURCE.default } : {}),
    configSource,
    isSensitive: type === 'password',
    synonyms: wishes.synonyms ? values : [],
    configType: CONFIG_TYPE[type],
    documentation: wishes.documentation ? (BROKER_DOCUMENTATION[name] ?? null) : null,
  }
}

function givenConfigs({ cluster, broker }: RequestContext): ReadonlyMap<string, string> {
  const { id, rack } = broker
  const listeners = broker.listenerUris.join(',')
  return new Map([
    ...cluster.settings.brokerConfig,
    ['node.id', String(id)],
    ['broker.id', String(id)],
    ['listeners', listeners],
    ['advertised.listeners', listeners],
    ...(rack === null ? [] : [['broker.rack', rack] as const]),
  ])
}

function synonymsOf(
  config: TopicConfig,
  { name, synonym, defaultValue }: ConfigDefinition,
  profile: KafkaProfile,
) {
  const own = config.overrides.get(name)
  return [
    ...(own === undefined ? [] : [{ name, value: own, source: SOURCE.topic }]),
    ...(isStored(name, profile) ? [{ name, value: defaultValue, source: SOURCE.allBrokers }] : []),
    ...(synonym === undefined
      ? []
      : [{ name: synonym, value: defaultValue, source: SOURCE.default }]),
  ]
}
