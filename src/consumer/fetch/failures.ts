/** Decides if a failure ends a partition. */
import { ErrorCode } from '../../../protocol/errors.ts'
import type { BackoffOptions } from '../../async/backoff.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import { partitionNumbered } from '../../cluster/metadata.ts'
import {
  AuthenticationError,
  BrokerError,
  isUnreachable,
  TlsError,
  UnknownTopicError,
  type KafkaError,
} from '../../errors.ts'
import type { PartitionState } from '../partition-state.ts'

/** A partition counts as deleted after this many responses in a row that deny it … */
const UNKNOWN_RESPONSES = 10
/** … over at least this many of the longest waits between two attempts. */
const UNKNOWN_WAITS = 10

export function isUnknownTopic(errorCode: number): boolean {
  return (
    errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION ||
    errorCode === ErrorCode.UNKNOWN_TOPIC_ID ||
    errorCode === ErrorCode.INCONSISTENT_TOPIC_ID
  )
}

/** True if the broker knows a newer leader than the metadata, or an older one. */
export function isStaleEpoch(error: Error): boolean {
  return error instanceof BrokerError && error.errorCode === ErrorCode.UNKNOWN_LEADER_EPOCH
}

/** True if the request failed before a response arrived, so that nothing is known about its partitions. */
export function isOfConnection(error: unknown): error is KafkaError {
  return isUnreachable(error) || error instanceof AuthenticationError || error instanceof TlsError
}

/**
 * Counts a response that denies the partition, from a broker that was asked to fetch it or for its metadata. Returns
 * the error that ends the partition once it was denied for long enough. One denial means nothing: a broker that is
 * starting knows no partitions until the controller has sent them.
 */
export function denied(
  state: PartitionState,
  cluster: Cluster,
  backoff: BackoffOptions,
): UnknownTopicError | undefined {
  const { topic, partition, name } = state
  const { count, since } = state.fetch.denied(performance.now())
  if (count < UNKNOWN_RESPONSES) return undefined
  if (performance.now() - since < UNKNOWN_WAITS * backoff.maxMs) return undefined
  const known = cluster.known(topic)
  const exists =
    known?.errorCode === ErrorCode.NONE &&
    partitionNumbered(known.partitions, partition) !== undefined
  const what = exists ? `the broker does not know ${name}` : `it was deleted`
  return new UnknownTopicError(`topic '${topic}' cannot be read further: ${what}`, {
    topic,
    partition,
  })
}
