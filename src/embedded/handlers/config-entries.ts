import {
  CONFIG_DEFINITIONS,
  CONFIG_TYPE,
  TopicConfig,
  type ConfigDefinition,
} from '../cluster/topic-config.ts'
import type { RequestContext } from '../server/context.ts'
import type { KafkaProfile } from '../versions/profiles.ts'

/** Where a value comes from, by Kafka's numbers. */
const SOURCE = { topic: 1, allBrokers: 3, default: 5 } as const

const MIN_INSYNC_REPLICAS = 'min.insync.replicas'

export function sourceOf(config: TopicConfig, name: string, profile: KafkaProfile): number {
  if (config.overrides.has(name)) return SOURCE.topic
  return isStored(name, profile) ? SOURCE.allBrokers : SOURCE.default
}

function isStored(name: string, { storesMinInsyncReplicas }: KafkaProfile): boolean {
  return storesMinInsyncReplicas && name === MIN_INSYNC_REPLICAS
}

/** The entries of a DescribeConfigs response for a topic; `names` null means all. */
export function describedEntries(
  config: TopicConfig,
  names: readonly string[] | null,
  includeSynonyms: boolean,
  { version, cluster }: RequestContext,
) {
  const { profile } = cluster.settings
  return CONFIG_DEFINITIONS.filter(({ name }) => names === null || names.includes(name)).map(
    (definition) => ({
      name: definition.name,
      value: config.get(definition.name),
      readOnly: false,
      ...(version === 0 ? { isDefault: !config.overrides.has(definition.name) } : {}),
      configSource: sourceOf(config, definition.name, profile),
      isSensitive: false,
      synonyms: includeSynonyms ? synonymsOf(config, definition, profile) : [],
      configType: CONFIG_TYPE[definition.type],
      documentation: null,
    }),
  )
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
