import { offsetLimits } from './consumer/offset-limits.ts'
import { listOffsets, type OffsetSpec } from './consumer/list-offsets.ts'
import { Deadline } from './async/deadline.ts'
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
import { aSignal, type CallOptions } from './call-options.ts'

const MAX_INT32 = 2 ** 31 - 1

const anOffsetSpec = namingEnds(either(oneOf('earliest', 'latest'), anInteger(0), aDate))

/** `fetchOffsetLimits()` returns lists of offsets. */
const noMaxOffsets: Check<number> = () => 'is an option of fetchOffsetLimits()'

/** The options of `fetchOffsetLimits` and `fetchOffsetLimit`. */
export interface OffsetLimitsOptions extends CallOptions {
  /** The maximum number of offsets for each partition. Default: 1. */
  readonly maxOffsets?: number
}

/** Checks the arguments of an offset lookup. Throws InvalidArgumentError. */
export function offsetCall(
  operation: string,
  at: OffsetSpec | Date,
  options: OffsetLimitsOptions,
  operationTimeoutMs: number,
  context: ErrorContext,
  maxOffsets: Check<number> = noMaxOffsets,
): { readonly spec: OffsetSpec; readonly deadline: Deadline } {
  const problem = anOffsetSpec(at)
  if (problem !== undefined) {
    throw new InvalidArgumentError(`${operation} ${problem}, not ${shown(at)}`, context)
  }
  checkOptions<OffsetLimitsOptions>(operation, options, {
    maxOffsets,
    timeoutMs: aDurationMs(1),
    signal: aSignal,
  })
  return {
    spec: at instanceof Date ? at.getTime() : at,
    deadline: new Deadline(options.timeoutMs ?? operationTimeoutMs, options.signal),
  }
}

/** Checks the arguments of a lookup of offset lists, and runs it. */
export async function limitsOf(
  cluster: Cluster,
  operation: string,
  at: OffsetSpec | Date,
  options: OffsetLimitsOptions,
  context: ErrorContext,
  partitionsOf: (deadline: Deadline) => Promise<readonly TopicPartition[]>,
): Promise<ReadonlyMap<number, readonly number[]>> {
  const { operationTimeoutMs } = cluster.options
  const count = anInteger(1, MAX_INT32)
  const { spec, deadline } = offsetCall(operation, at, options, operationTimeoutMs, context, count)
  const partitions = await partitionsOf(deadline)
  const lists = await offsetLimits(cluster, partitions, spec, options.maxOffsets ?? 1, deadline)
  return new Map(partitions.map(({ partition }, index) => [partition, lists[index]!]))
}

/** Returns the offset of each partition, in the order of the partitions. */
export async function offsetsOf(
  cluster: Cluster,
  partitions: readonly TopicPartition[],
  spec: OffsetSpec,
  deadline: Deadline,
): Promise<readonly number[]> {
  const found = await listOffsets(cluster, partitions, spec, deadline)
  return partitions.map((one) => found.get(nameOf(one)) ?? 0)
}
