import type { ConsumerOptions } from '../consumer/options.ts'
import type { TopicPartition } from '../consumer/topic-partition.ts'
import { aBoolean, aDurationMs, aFunction, anInteger, type Check } from '../options.ts'

/** What all balanced consumers have in common, whoever coordinates their group. Names are pykafka's, where it has one. */
export interface RebalanceOptions<Consumer> {
  /** The group that partitions are shared out in, and offsets committed for. */
  readonly consumerGroup: string
  /** Whether it is also started; otherwise `start()` does. Default: true. */
  readonly autoStart?: boolean
  /** How often a rebalance that failed is tried again before consume() throws why. It goes on trying. Default: 5. */
  readonly rebalanceMaxRetries?: number
  /**
   * The wait before such a retry, times how many there were: 0, 2, 4, 6 s by default, less where something
   * changes meanwhile. Default: 2,000.
   */
  readonly rebalanceBackoffMs?: number
  /**
   * How long processing, the hook and the commit may each take before partitions are given up all the same,
   * with an error that consume() throws. Default: 60,000.
   */
  readonly rebalanceTimeoutMs?: number
  /**
   * Called before partitions are taken away. Nothing of them is delivered any more, what was delivered is processed
   * (or `rebalanceTimeoutMs` is over), and what is committed here counts, as others get them only when it has resolved.
   */
  readonly onPartitionsRevoked?: PartitionsHook<Consumer>
  /** Called when partitions were given to this member, and before the first message: positions can be changed here. */
  readonly onPartitionsAssigned?: PartitionsHook<Consumer>
  /**
   * Called after partitions were lost, with the session or the membership: nothing of them can be committed,
   * others may be reading them already. Default: nothing, not `onPartitionsRevoked` either.
   */
  readonly onPartitionsLost?: PartitionsHook<Consumer>
}

/** What it throws reaches consume(). */
export type PartitionsHook<Consumer> = (
  partitions: readonly TopicPartition[],
  consumer: Consumer,
) => void | Promise<void>

/** Those of the options of all consumers that have a meaning for a changing set of partitions. */
export type BalancedReadingOptions<Value, Key> = Omit<
  ConsumerOptions<Value, Key>,
  'stopAtEnd' | 'consumerGroup'
>

export interface RebalanceSettings {
  readonly rebalanceMaxRetries: number
  readonly rebalanceBackoffMs: number
  readonly rebalanceTimeoutMs: number
}

export const REBALANCE_CHECKS: Readonly<
  Record<Exclude<keyof RebalanceOptions<unknown>, 'consumerGroup'>, Check>
> = {
  autoStart: aBoolean,
  rebalanceMaxRetries: anInteger(1),
  rebalanceBackoffMs: aDurationMs(0),
  rebalanceTimeoutMs: aDurationMs(1),
  onPartitionsRevoked: aFunction,
  onPartitionsAssigned: aFunction,
  onPartitionsLost: aFunction,
}

export function rebalanceSettings(options: RebalanceOptions<never>): RebalanceSettings {
  return {
    rebalanceMaxRetries: options.rebalanceMaxRetries ?? 5,
    rebalanceBackoffMs: options.rebalanceBackoffMs ?? 2_000,
    rebalanceTimeoutMs: options.rebalanceTimeoutMs ?? 60_000,
  }
}
