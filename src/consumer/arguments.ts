/** Checks the arguments of the consumers' methods: callers without TypeScript get an InvalidArgumentError. */
import { InvalidArgumentError } from '../errors.ts'
import { aDate, namingEnds } from './options.ts'
import { anArrayOf, anInteger, checkValue, either, oneOf, shown, type Check } from '../options.ts'

const aPartition = anInteger(0, 0x7fffffff)

const aTopicPartition: Check = (value) =>
  typeof value === 'object' &&
  value !== null &&
  'topic' in value &&
  typeof value.topic === 'string' &&
  'partition' in value &&
  aPartition(value.partition) === undefined
    ? undefined
    : 'must be { topic, partition }'

const anOffset = anInteger(0)

const aPlace = namingEnds(either(anOffset, oneOf('earliest', 'latest'), aDate))

export function checkPartition(value: unknown): void {
  checkValue('a partition', value, aPartition)
}

export function checkPartitionNumbers(value: unknown): void {
  checkValue('the partitions', value, anArrayOf(aPartition))
}

export function checkTopicPartition(value: unknown): void {
  checkValue('a partition', value, aTopicPartition)
}

/** Undefined means all partitions. */
export function checkTopicPartitions(value: unknown): void {
  if (value !== undefined) checkGivenPartitions(value)
}

export function checkGivenPartitions(value: unknown): void {
  checkValue('the partitions', value, anArrayOf(aTopicPartition))
}

export function checkOffset(value: unknown): void {
  checkValue('an offset', value, anOffset)
}

export function checkPlace(value: unknown): void {
  checkValue('the new position', value, aPlace)
}

/** Checks a map with an entry for each partition. */
export function checkMap(what: string, value: unknown): void {
  if (value instanceof Map) for (const partition of value.keys()) checkPartition(partition)
  else throw new InvalidArgumentError(`${what} must be a Map by partition, not ${shown(value)}`)
}
