/**
 * Adapters for functions of an application that pykafka calls with other arguments than samsa: docs/from-pykafka.md
 * says when they are needed.
 */
import type { DecidePartitions } from './balanced/zookeeper/decide-partitions.ts'
import { DECISIONS } from './balanced/zookeeper/membership-protocol.ts'
import type { ResetTo } from './consumer/single-topic-consumer.ts'
import { InvalidArgumentError } from './errors.ts'
import type { Partitioner } from './producer/intake/partitioners.ts'

/** pykafka's OffsetType.EARLIEST and LATEST. */
const EARLIEST = -2
const LATEST = -1

/**
 * Returns the option `partitioner` for a function with pykafka's arguments: it gets the numbers of all partitions, in
 * order, and the key, and returns one of the numbers.
 */
export function pykafkaPartitioner(
  choose: (partitions: readonly number[], key: string | Uint8Array | null) => number,
): Partitioner {
  checkFunction('pykafkaPartitioner', choose)
  let numbers: readonly number[] = []
  return (key, partitionCount) => {
    if (numbers.length !== partitionCount) numbers = [...Array(partitionCount).keys()]
    return choose(numbers, key)
  }
}

/** pykafka's `decide_partitions`: returns the numbers of the consumer's partitions. */
export type PykafkaDecidePartitions = (
  participants: readonly string[],
  partitions: readonly number[],
  consumerId: string,
) => Iterable<number>

/**
 * Returns the option `membershipProtocol` for a function with pykafka's arguments, in pykafka's order: all members,
 * all partitions, and the member that the result is for.
 */
export function pykafkaMembershipProtocol(decide: PykafkaDecidePartitions): DecidePartitions {
  checkFunction('pykafkaMembershipProtocol', decide)
  return (partitions, members, member) => [...decide(members, partitions, member)]
}

/** pykafka's `decide_partitions_range`, for partitions that are already in pykafka's order. */
export function decidePartitionsRange(
  participants: readonly string[],
  partitions: readonly number[],
  consumerId: string,
): readonly number[] {
  return DECISIONS.range(partitions, participants, consumerId)
}

/** pykafka's `decide_partitions_roundrobin`, for partitions that are already in pykafka's order. */
export function decidePartitionsRoundrobin(
  participants: readonly string[],
  partitions: readonly number[],
  consumerId: string,
): readonly number[] {
  return DECISIONS.roundrobin(partitions, participants, consumerId)
}

/**
 * Returns the option `postRebalanceCallback` for a function that counts like pykafka: the offsets that it gets and
 * returns are those of the last consumed message, not of the next one. −2 stands for the beginning of the log, −1 for
 * its end.
 */
export function pykafkaRebalanceCallback<Consumer>(
  callback: (
    consumer: Consumer,
    oldOffsets: ReadonlyMap<number, number>,
    newOffsets: ReadonlyMap<number, number>,
  ) => ReadonlyMap<number, ResetTo> | undefined | Promise<ReadonlyMap<number, ResetTo> | undefined>,
): (
  consumer: Consumer,
  oldOffsets: ReadonlyMap<number, number>,
  newOffsets: ReadonlyMap<number, number>,
) => Promise<ReadonlyMap<number, ResetTo> | undefined> {
  checkFunction('pykafkaRebalanceCallback', callback)
  return async (consumer, oldOffsets, positions) => {
    const last = [...positions].map(([partition, next]) => [partition, lastBefore(next)] as const)
    const returned = await callback(consumer, oldOffsets, new Map(last))
    return returned && new Map([...returned].map(([partition, to]) => [partition, nextAfter(to)]))
  }
}

/** Returns the offset that pykafka holds before the message at this position: −2 if there is none. */
function lastBefore(position: number): number {
  return position === 0 ? EARLIEST : position - 1
}

function nextAfter(last: ResetTo): ResetTo {
  switch (last) {
    case EARLIEST:
      return 'earliest'
    case LATEST:
      return 'latest'
    default:
      return typeof last === 'number' ? last + 1 : last
  }
}

function checkFunction(what: string, given: unknown): void {
  if (typeof given !== 'function')
    throw new InvalidArgumentError(`${what}: the argument must be a function`)
}
