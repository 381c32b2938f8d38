import { listOffsets, type OffsetSpec } from './consumer/list-offsets.ts'
import type { Deadline } from './async/deadline.ts'
import type { Cluster } from './cluster/cluster.ts'
import { aDate, namingEnds } from './consumer/options.ts'
import { nameOf, type TopicPartition } from './consumer/topic-partition.ts'
import { InvalidArgumentError, type ErrorContext } from './errors.ts'
import {
  aDurationMs,
  anInteger,
  checkOptions,
  either,
  oneOf,
  shown,
  type Check,
} from './options.ts'
import { aSignal, deadlineOf, type CallOptions } from './call-options.ts'

const anOffsetSpec = namingEnds(either(oneOf('earliest', 'latest'), anInteger(0), aDate))

/** pykafka's `max_offsets`. Brokers since Kafka 0.10.1 return one offset for each partition. */
const aCountOfOffsets: Check = (value) =>
  oneOf(1)(value) === undefined
    ? undefined
    : 'must be 1: Kafka 0.10.1 and newer return one offset for a time; to divide a partition, look up several times'

/** The options of `fetchOffsets` and `fetchOffset`. */
export interface FetchOffsetsOptions extends CallOptions {
  /** pykafka's `max_offsets`. Only 1 is possible: since Kafka 0.10.1 brokers return one offset for a time. Default: 1. */
  readonly maxOffsets?: 1
}

/** Checks a call that looks offsets up. Throws InvalidArgumentError. */
export function offsetCall(
  operation: string,
  at: OffsetSpec | Date,
  options: FetchOffsetsOptions,
  operationTimeoutMs: number,
  context: ErrorContext,
): { readonly spec: OffsetSpec; readonly deadline: Deadline } {
  const problem = anOffsetSpec(at)
  if (problem !== undefined) {
    throw new InvalidArgumentError(`${operation} ${problem}, not ${shown(at)}`, context)
  }
  checkOptions<FetchOffsetsOptions>(operation, options, {
    maxOffsets: aCountOfOffsets,
    timeoutMs: aDurationMs(1),
    signal: aSignal,
  })
  const { timeoutMs, signal } = options
  const call = {
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(signal === undefined ? {} : { signal }),
  }
  return {
    spec: at instanceof Date ? at.getTime() : at,
    deadline: deadlineOf(call, operationTimeoutMs),
  }
}

/** The offset of each partition, in the order of the partitions. */
export async function offsetsOf(
  cluster: Cluster,
  partitions: readonly TopicPartition[],
  spec: OffsetSpec,
  deadline: Deadline,
): Promise<readonly number[]> {
  const found = await listOffsets(cluster, partitions, spec, deadline)
  return partitions.map((one) => found.get(nameOf(one)) ?? 0)
}
