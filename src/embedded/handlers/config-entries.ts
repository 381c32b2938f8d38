import {
  CONFIG_DEFINITIONS,
  CONFIG_TYPE,
  TopicConfig,
  type ConfigDefinition,
} from '../cluster/topic-config.ts'

/** Where a value comes from, by Kafka's numbers. */
const SOURCE = { topic: 1, default: 5 } as const

export function sourceOf(config: TopicConfig, name: string): number {
  return config.overrides.has(name) ? SOURCE.topic : SOURCE.default
}

/** The entries of a DescribeConfigs response for a topic; `names` null means all. */
export function describedEntries(
  config: TopicConfig,
  names: readonly string[] | null,
  includeSynonyms: boolean,
  version: number,
) {
  return CONFIG_DEFINITIONS.filter(({ name }) => names === null || names.includes(name)).map(
    (definition) => ({
      name: definition.name,
      value: config.get(definition.name),
      readOnly: false,
      ...(version === 0 ? { isDefault: !config.overrides.has(definition.name) } : {}),
      configSource: sourceOf(config, definition.name),
      isSensitive: false,
      synonyms: includeSynonyms ? synonymsOf(config, definition) : [],
      configType: CONFIG_TYPE[definition.type],
      documentation: null,
    }),
  )
}

function synonymsOf(config: TopicConfig, { name, synonym, defaultValue }: ConfigDefinition) {
  const own = config.overrides.get(name)
  return [
    ...(own === undefined ? [] : [{ name, value: own, source: SOURCE.topic }]),
    ...(synonym === undefined
      ? []
      : [{ name: synonym, value: defaultValue, source: SOURCE.default }]),
  ]
}
