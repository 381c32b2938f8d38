import type { OptionTable } from '../../option-table.ts'
import { withDefaults } from '../../option-table.ts'
import { aDurationMs, aString } from '../../options.ts'
import type { Subscription } from '../subscription.ts'

/**
 * The options of a consumer group whose partitions the broker assigns (`groupProtocol: 'consumer'`, KIP-848), beside
 * those of every balanced consumer. `CONSUMER_GROUP_OPTIONS` has their checks and defaults.
 */
export interface ConsumerGroupOptions {
  /**
   * How the broker assigns partitions, by the assignor's name (Kafka's `group.remote.assignor`): `uniform`, `range`, or
   * another of the broker's `group.consumer.assignors`. The assignor that most members name assigns for the whole
   * group. Default: the first of `group.consumer.assignors`, which is `uniform`.
   */
  readonly remoteAssignor?: string
  /**
   * Makes this a static member (KIP-345): it keeps its partitions when it is closed and comes back within the session
   * timeout of the group. Each running member needs its own. Default: none.
   */
  readonly groupInstanceId?: string
  /**
   * How long joining is retried while another member that has not left holds the same `groupInstanceId`
   * (UNRELEASED_INSTANCE_ID), such as a process that was killed: until its session ends. Default: 0 (joining fails at once).
   */
  readonly groupInstanceWaitMs?: number
  /**
   * How long the broker waits for this member to give partitions up before it fences it (Kafka's
   * `max.poll.interval.ms`), and how long the application may work on what was delivered before it gets a
   * MaxPollIntervalError. Default: 300,000.
   */
  readonly maxPollIntervalMs?: number
}

export interface ConsumerGroupSettings {
  readonly groupId: string
  readonly subscription: Subscription
  readonly remoteAssignor: string | undefined
  readonly groupInstanceId: string | undefined
  readonly groupInstanceWaitMs: number
  readonly clientRack: string | undefined
  readonly maxPollIntervalMs: number
  /** How long the application has been processing what it received; 0 while it waits for more. */
  readonly busyForMs: () => number
}

/** The checks and defaults of `ConsumerGroupOptions`, in the order of the documents. */
export const CONSUMER_GROUP_OPTIONS = {
  remoteAssignor: {
    check: aString,
    defaultText: 'the first of `group.consumer.assignors`, which is `uniform`',
  },
  groupInstanceId: { check: aString, defaultText: 'none' },
  groupInstanceWaitMs: {
    check: aDurationMs(0),
    default: 0,
    noEffect: ({ groupInstanceId }) =>
      groupInstanceId === undefined ? 'without a groupInstanceId' : undefined,
  },
  maxPollIntervalMs: { check: aDurationMs(1), default: 300_000 },
} as const satisfies OptionTable<ConsumerGroupOptions>

/** Returns the settings for options that were checked. */
export function consumerGroupSettings(
  options: ConsumerGroupOptions,
  rest: Pick<ConsumerGroupSettings, 'groupId' | 'subscription' | 'clientRack' | 'busyForMs'>,
): ConsumerGroupSettings {
  const { remoteAssignor, groupInstanceId, groupInstanceWaitMs, maxPollIntervalMs } = withDefaults(
    options,
    CONSUMER_GROUP_OPTIONS,
  )
  return { ...rest, remoteAssignor, groupInstanceId, groupInstanceWaitMs, maxPollIntervalMs }
}
