/** Kafka's numbers of the types of a config. */
export const CONFIG_TYPE = {
  boolean: 1,
  string: 2,
  int: 3,
  short: 4,
  long: 5,
  double: 6,
  list: 7,
  class: 8,
  password: 9,
} as const
/** The types of a topic's configs. */
export type TopicConfigType = Exclude<keyof typeof CONFIG_TYPE, 'short' | 'class' | 'password'>

export interface ConfigDefinition {
  readonly name: string
  readonly defaultValue: string
  readonly type: TopicConfigType
  /** The broker's config that provides the default. */
  readonly synonym: string | undefined
}
