import type { ConsumerOptions } from '../consumer/options.ts'
import type { TopicPartition } from '../consumer/topic-partition.ts'
import { withDefaults, type OptionTable, type WithDefaults } from '../option-table.ts'
import { aBoolean, aDurationMs, aFunction, anInteger, aString } from '../options.ts'

/**
 * The options that all balanced consumers have, whatever coordinates their group. `REBALANCE_OPTIONS` has their checks and
 * defaults. Names are pykafka's, where it has one.
 */
export interface RebalanceOptions<Consumer> {
  /** The group whose members divide the partitions, and whose offsets are committed. Required. */
  readonly consumerGroup: string
  /** Joins the group when the consumer is opened; with `false` `start()` does. Default: true. */
  readonly autoStart?: boolean
  /**
   * After this number of failed rebalances `start()` or `consume()` throws the error. The consumer keeps trying.
   * Default: 5.
   */
  readonly rebalanceMaxRetries?: number
  /**
   * The wait before a failed rebalance is retried, multiplied by the number of attempts so far (0, 2, 4, 6 s by
   * default). A change in the group ends the wait. Default: 2,000.
   */
  readonly rebalanceBackoffMs?: number
  /**
   * How long processing, the hook and the commit may each take before a rebalance. After that the member gives the
   * partitions up nevertheless, with an error that `consume()` throws. Default: 60,000.
   */
  readonly rebalanceTimeoutMs?: number
  /**
   * Called before partitions are taken away. The consumer has stopped delivering their messages by then, and those that
   * were delivered are processed (or `rebalanceTimeoutMs` has passed). The hook can commit offsets: other members get the
   * partitions only after it has resolved.
   */
  readonly onPartitionsRevoked?: PartitionsHook<Consumer>
  /**
   * Called when partitions were assigned to this member, before their first message: positions are known and can be
   * changed (`seek`, `resetOffsets`).
   */
  readonly onPartitionsAssigned?: PartitionsHook<Consumer>
  /**
   * Called instead of `onPartitionsRevoked` after partitions were lost with the session or the membership: nothing of them
   * can be committed, and others may be reading them already.
   */
  readonly onPartitionsLost?: PartitionsHook<Consumer>
}

/** A hook of a rebalance. `consume()` throws what it throws. */
export type PartitionsHook<Consumer> = (
  partitions: readonly TopicPartition[],
  consumer: Consumer,
) => void | Promise<void>

/** The consumer options that make sense for a changing set of partitions. */
export type BalancedReadingOptions<Value, Key> = Omit<
  ConsumerOptions<Value, Key>,
  'stopAtEnd' | 'consumerGroup'
>

/** The checks and defaults of `RebalanceOptions`, in the order of the documents. */
export const REBALANCE_OPTIONS = {
  consumerGroup: { check: aString, required: true },
  onPartitionsAssigned: { check: aFunction },
  onPartitionsRevoked: { check: aFunction },
  onPartitionsLost: { check: aFunction },
  rebalanceMaxRetries: { check: anInteger(1), default: 5 },
  rebalanceBackoffMs: { check: aDurationMs(0), default: 2_000 },
  rebalanceTimeoutMs: { check: aDurationMs(1), default: 60_000 },
  autoStart: { check: aBoolean, default: true },
} as const satisfies OptionTable<RebalanceOptions<never>>

export type RebalanceSettings = Pick<
  WithDefaults<RebalanceOptions<never>, typeof REBALANCE_OPTIONS>,
  'rebalanceMaxRetries' | 'rebalanceBackoffMs' | 'rebalanceTimeoutMs'
>

export function rebalanceSettings(options: RebalanceOptions<never>): RebalanceSettings {
  return withDefaults(options, REBALANCE_OPTIONS)
}
