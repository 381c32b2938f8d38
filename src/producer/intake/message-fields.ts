import { InvalidArgumentError } from '../../errors.ts'
import type { Data } from './serialize.ts'
import type { KeyOrOptions, ProduceOptions } from './outgoing-message.ts'

/** The replacements of pykafka's names, and of names that are easily misspelled. */
const REPLACED: Readonly<Record<string, string>> = {
  partitionKey: 'key',
  partition_key: 'key',
  partitionId: 'partition',
  partition_id: 'partition',
  header: 'headers',
}

/**
 * Returns the fields of a message besides its value. Throws InvalidArgumentError for an unknown field: a misspelled one
 * would otherwise be dropped silently.
 *
 * A consumed message, or a copy of one, is recognized by its `timestampType`. It may be produced unchanged, but its
 * partition belongs to the topic that it was read from: it is used only with `keepPartitions`.
 */
export function optionsOf<Key>(
  message: ProduceOptions<Key>,
  topic: string,
  keepPartitions: boolean,
): ProduceOptions<Key> {
  for (const name in message) {
    switch (name) {
      case 'value':
      case 'key':
      case 'headers':
      case 'timestamp':
      case 'partition':
        break
      default:
        // A consumed message has other fields of its own, so it must be distinguished from a mistake here.
        if ('timestampType' in message) return optionsOfConsumed(message, keepPartitions)
        if (name !== 'topic') throw unknownField(name)
        checkTopic(message, topic)
    }
  }
  return message
}

/**
 * The options of `produce`: the same fields without value and topic, which are separate arguments. Text, bytes or null
 * instead of an object are the key, as in pykafka's `produce(message, partition_key)`.
 */
export function checkProduceOptions<Key>(options: KeyOrOptions<Key>): ProduceOptions<Key> {
  if (!isOptions(options)) {
    if (isKey(options)) return { key: options }
    throw new InvalidArgumentError(
      'the second argument of produce must be the key of the message, or an object of options',
    )
  }
  for (const name in options) {
    switch (name) {
      case 'key':
      case 'headers':
      case 'timestamp':
      case 'partition':
        break
      default:
        if ('timestampType' in options) return optionsOfConsumed(options, false)
        throw unknownField(name)
    }
  }
  return options
}

function optionsOfConsumed<Key>(
  { key, headers, timestamp, partition }: ProduceOptions<Key>,
  keepPartitions: boolean,
): ProduceOptions<Key> {
  return {
    ...(key === undefined ? {} : { key }),
    ...(headers ? { headers } : {}),
    // −1 or null if there is none, or none that a number can hold.
    ...(typeof timestamp === 'number' && timestamp >= 0 ? { timestamp } : {}),
    ...(keepPartitions && partition !== undefined ? { partition } : {}),
  }
}

function isOptions<Key>(options: KeyOrOptions<Key>): options is ProduceOptions<Key> {
  return typeof options === 'object' && options !== null && !(options instanceof Uint8Array)
}

function isKey<Key>(options: KeyOrOptions<Key>): options is Extract<Key, Data> {
  return typeof options === 'string' || options === null || options instanceof Uint8Array
}

function checkTopic(message: object, topic: string): void {
  if (!('topic' in message) || message.topic === topic) return
  const reason = `a message for topic ${String(message.topic)} was passed to a producer for topic ${topic}`
  throw new InvalidArgumentError(reason, { topic })
}

function unknownField(name: string): InvalidArgumentError {
  const replacement = REPLACED[name]
  const use = replacement === undefined ? '' : `use '${replacement}'; `
  return new InvalidArgumentError(
    `a message has no field '${name}': ${use}it has value, key, headers, timestamp and partition`,
  )
}
