import { offsetLimits } from './consumer/offset-limits.ts'
import { lookUpOffsets, type OffsetSpec } from './consumer/list-offsets.ts'
import { Deadline } from './async/deadline.ts'
import type { Cluster } from './cluster/cluster.ts'
import { aDate, namingEnds } from './consumer/options.ts'
import { nameOf, type TopicPartition } from './consumer/topic-partition.ts'
import type { ErrorContext } from './errors.ts'
import { checkTable, withDefaults, type OptionTable } from './option-table.ts'
import { anInteger, either, oneOf, checkValue } from './options.ts'
import { CALL_OPTIONS, type CallOptions } from './call-options.ts'

const MAX_INT32 = 2 ** 31 - 1

const anOffsetSpec = namingEnds(either(oneOf('earliest', 'latest'), anInteger(0), aDate))

/** The options of `fetchOffsetLimits` and `fetchOffsetLimit`. */
export interface OffsetLimitsOptions extends CallOptions {
  /** The maximum number of offsets for each partition. Default: 1. */
  readonly maxOffsets?: number
}

/** The checks and defaults of `OffsetLimitsOptions`. */
export const OFFSET_LIMITS_OPTIONS = {
  ...CALL_OPTIONS,
  maxOffsets: { check: anInteger(1, MAX_INT32), default: 1 },
} as const satisfies OptionTable<OffsetLimitsOptions>

/** The check of an option that belongs to `fetchOffsetLimits()`, in the options of other lookups. */
const OTHER_LOOKUPS_OPTIONS: OptionTable<OffsetLimitsOptions> = {
  ...CALL_OPTIONS,
  maxOffsets: { check: () => 'is an option of fetchOffsetLimits()' },
}

/** Checks the arguments of an offset lookup. Throws InvalidArgumentError. */
export function offsetCall(
  operation: string,
  at: OffsetSpec | Date,
  options: OffsetLimitsOptions,
  operationTimeoutMs: number,
  context: ErrorContext,
  table: OptionTable<OffsetLimitsOptions> = OTHER_LOOKUPS_OPTIONS,
): { readonly spec: OffsetSpec; readonly deadline: Deadline } {
  checkValue(operation, at, anOffsetSpec, context)
  checkTable(operation, options, table)
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
  const table = OFFSET_LIMITS_OPTIONS
  const { spec, deadline } = offsetCall(operation, at, options, operationTimeoutMs, context, table)
  const { maxOffsets } = withDefaults<OffsetLimitsOptions, typeof table>(options, table)
  const partitions = await partitionsOf(deadline)
  const lists = await offsetLimits(cluster, partitions, spec, maxOffsets, deadline)
  return new Map(partitions.map(({ partition }, index) => [partition, lists[index]!]))
}

/** Returns the offset of each partition, in the order of the partitions. */
export async function offsetsOf(
  cluster: Cluster,
  partitions: readonly TopicPartition[],
  spec: OffsetSpec,
  deadline: Deadline,
): Promise<readonly number[]> {
  const found = await lookUpOffsets(cluster, partitions, spec, deadline)
  return partitions.map((one) => found.get(nameOf(one)) ?? 0)
}
