import type { CONFIG_TYPE } from '../../cluster/config-definition.ts'
import { isDuration } from '../../cluster/iso-duration.ts'
import { Refused } from '../../refused.ts'

export interface GroupConfigDefinition {
  readonly name: string
  readonly defaultValue: string
  readonly type: keyof Pick<typeof CONFIG_TYPE, 'boolean' | 'int' | 'list' | 'string'>
  /** The config of brokers that provides the default. */
  readonly ofBroker: string | undefined
  /** The lowest value of the type. */
  readonly least: number | undefined
}

/** All configs of a group that Kafka 4.4.0 returns, with their defaults and lowest values. */
// A config on each line.
// prettier-ignore
const ROWS: readonly (readonly [string, string, GroupConfigDefinition['type'], string?, number?])[] = [
  ['consumer.assignment.interval.ms', '1000', 'int', 'group.consumer.assignment.interval.ms', 0],
  ['consumer.heartbeat.interval.ms', '5000', 'int', 'group.consumer.heartbeat.interval.ms', 1],
  ['consumer.session.timeout.ms', '45000', 'int', 'group.consumer.session.timeout.ms', 1],
  ['errors.deadletterqueue.copy.record.enable', 'false', 'boolean'],
  ['errors.deadletterqueue.topic.name', '', 'string'],
  ['share.assignment.interval.ms', '1000', 'int', 'group.share.assignment.interval.ms', 0],
  ['share.auto.offset.reset', 'latest', 'string'],
  ['share.delivery.count.limit', '5', 'int', 'group.share.delivery.count.limit', 2],
  ['share.heartbeat.interval.ms', '5000', 'int', 'group.share.heartbeat.interval.ms', 1],
  ['share.isolation.level', 'read_uncommitted', 'string'],
  ['share.partition.max.record.locks', '2000', 'int', 'group.share.partition.max.record.locks', 100],
  ['share.record.lock.duration.ms', '30000', 'int', 'group.share.record.lock.duration.ms', 1_000],
  ['share.renew.acknowledge.enable', 'true', 'boolean'],
  ['share.session.timeout.ms', '45000', 'int', 'group.share.session.timeout.ms', 1],
  ['streams.assignment.interval.ms', '1000', 'int', 'group.streams.assignment.interval.ms', 0],
  ['streams.assignor.name', 'sticky', 'string', 'group.streams.assignors'],
  ['streams.heartbeat.interval.ms', '5000', 'int', 'group.streams.heartbeat.interval.ms', 1],
  ['streams.initial.rebalance.delay.ms', '3000', 'int', 'group.streams.initial.rebalance.delay.ms', 0],
  ['streams.num.standby.replicas', '0', 'int', 'group.streams.num.standby.replicas', 0],
  ['streams.rack.aware.assignment.tags', '', 'list', 'group.streams.rack.aware.assignment.tags'],
  ['streams.session.timeout.ms', '45000', 'int', 'group.streams.session.timeout.ms', 1],
]

export const GROUP_CONFIGS: readonly GroupConfigDefinition[] = ROWS.map(
  ([name, defaultValue, type, ofBroker, least]) => ({ name, defaultValue, type, ofBroker, least }),
)
const BY_NAME: ReadonlyMap<string, GroupConfigDefinition> = new Map(
  GROUP_CONFIGS.map((definition) => [definition.name, definition]),
)

/** Throws INVALID_CONFIG. */
export function groupConfigOf(name: string): GroupConfigDefinition {
  const definition = BY_NAME.get(name)
  if (definition !== undefined) return definition
  throw new Refused('INVALID_CONFIG', `Unknown group config name: ${name}`)
}

/** The value as Kafka stores it. Throws INVALID_CONFIG. */
export function parsedGroupConfig(definition: GroupConfigDefinition, given: string): string {
  const { name, type } = definition
  const value = given.trim()
  const problem = problemOf(definition, value)
  if (problem !== undefined) {
    const detail = `Invalid value ${value} for configuration ${name}: ${problem}`
    throw new Refused('INVALID_CONFIG', detail)
  }
  if (name === DEAD_LETTERS && value.startsWith('__')) {
    throw new Refused('INVALID_CONFIG', `${name}: DLQ topic name must not start with '__'`)
  }
  return type === 'int' ? String(Number(value)) : value
}

const DEAD_LETTERS = 'errors.deadletterqueue.topic.name'
const ISOLATION_LEVELS = ['read_committed', 'read_uncommitted']
const BY_DURATION = 'by_duration:'

function problemOf(
  { name, type, least }: GroupConfigDefinition,
  value: string,
): string | undefined {
  if (type === 'int') {
    const number = Number(value)
    const isInt = /^[+-]?\d+$/.test(value) && (number | 0) === number
    if (!isInt) return 'Not a number of type INT'
    return number < (least ?? -Infinity) ? `Value must be at least ${least}` : undefined
  }
  if (type === 'boolean') {
    return /^(true|false)$/i.test(value) ? undefined : 'Expected value to be either true or false'
  }
  if (name === 'share.isolation.level') {
    return ISOLATION_LEVELS.includes(value)
      ? undefined
      : `String must be one of: ${ISOLATION_LEVELS.join(', ')}`
  }
  if (name === 'share.auto.offset.reset') {
    const isKnown = value === 'earliest' || value === 'latest'
    const isByDuration =
      value.startsWith(BY_DURATION) && isDuration(value.slice(BY_DURATION.length))
    return isKnown || isByDuration
      ? undefined
      : `Invalid value \`${value}\` for configuration ${name}. The value must be either 'earliest', 'latest' or of the format 'by_duration:<PnDTnHnMn.nS>'.`
  }
  return undefined
}
