import { InvalidArgumentError } from '../../errors.ts'
import { withDefaults, type OptionTable } from '../../option-table.ts'
import { aDurationMs, aFunction, anArrayOf, aString, type Check } from '../../options.ts'
import type { Assignor, ImmediateAssignor, RebalanceProtocol } from '../assignors/assignor.ts'
import { rangeAssignor } from '../assignors/range.ts'
import { roundRobinAssignor } from '../assignors/round-robin.ts'
import type { Subscription } from '../subscription.ts'
import { cooperativeStickyAssignor, stickyAssignor } from '../assignors/sticky.ts'

/**
 * The options of a group that Kafka coordinates (`groupProtocol: 'classic'`), beside those of every
 * balanced consumer. `GROUP_OPTIONS` has their checks and defaults.
 */
export interface GroupOptions {
  /**
   * How partitions are divided among the members: the names of assignors, or assignors of your own, the preferred one
   * first (Kafka's `partition.assignment.strategy`). All members, including Java's, must have one in common. If all
   * assignors are cooperative, a rebalance does not interrupt partitions that stay with their member. Default:
   * `['range', 'cooperative-sticky']`.
   */
  readonly assignors?: readonly (AssignorName | Assignor)[]
  /**
   * Makes this a static member (KIP-345, Kafka 2.3): it keeps its partitions when it is closed and comes back within
   * `sessionTimeoutMs`, without a rebalance. Each running member needs its own. Default: none.
   */
  readonly groupInstanceId?: string
  /**
   * How long the group waits for a silent member before others get its partitions. Brokers allow 6 s to 30 min by default;
   * Kafka 0.9 up to 30 s. Default: 30,000.
   */
  readonly sessionTimeoutMs?: number
  /**
   * The time between heartbeats, at most a third of the session to be safe. A member learns of a rebalance from their
   * responses, so that this is how long a new member may have to wait for the others. They are sent more often for a
   * second after a rebalance, because another one often follows. Default: 1,000, or a third of a shorter
   * `sessionTimeoutMs` (3,000 in Java).
   */
  readonly heartbeatIntervalMs?: number
  /**
   * How long a rebalance waits for a member to give up its partitions and join (Kafka's `max.poll.interval.ms`; before
   * Kafka 0.10.1 the session timeout), and how long the application may work on what was delivered before it gets a
   * MaxPollIntervalError. Default: 300,000.
   */
  readonly maxPollIntervalMs?: number
}

/** The assignors of samsa, by Kafka's names. */
export type AssignorName = 'range' | 'roundrobin' | 'sticky' | 'cooperative-sticky'

export interface GroupSettings {
  readonly groupId: string
  readonly subscription: Subscription
  readonly assignors: readonly Assignor[]
  /** Cooperative if all assignors are. */
  readonly protocol: RebalanceProtocol
  readonly groupInstanceId: string | undefined
  /** For assignors that use racks (KIP-881). */
  readonly clientRack: string | undefined
  readonly sessionTimeoutMs: number
  readonly heartbeatIntervalMs: number
  readonly maxPollIntervalMs: number
  /** How long the application has been processing what it received; 0 while it waits for more. */
  readonly busyForMs: () => number
}

/** Tests iterate over it, so that a new assignor is tested as the others. */
export const BUILT_IN: Readonly<Record<AssignorName, ImmediateAssignor>> = {
  range: rangeAssignor,
  roundrobin: roundRobinAssignor,
  sticky: stickyAssignor,
  'cooperative-sticky': cooperativeStickyAssignor,
}

const anAssignor: Check<AssignorName | Assignor> = (value) => {
  if (typeof value === 'string' && Object.hasOwn(BUILT_IN, value)) return undefined
  const names = Object.keys(BUILT_IN).join(', ')
  if (typeof value !== 'object' || value === null) return `must be ${names}, or an assignor`
  // The checks of the properties follow.
  const { name, protocols, assign, userData } = value as Partial<Record<keyof Assignor, unknown>>
  if (aString(name) !== undefined) return "must have a 'name'"
  // Members with the built-in one would compute another assignment.
  if (Object.hasOwn(BUILT_IN, name as string)) {
    return `must have a name of its own: '${name as string}' is a built-in assignor`
  }
  const areProtocols =
    Array.isArray(protocols) &&
    protocols.length > 0 &&
    protocols.every((one) => one === 'eager' || one === 'cooperative')
  if (!areProtocols) return "must have 'protocols': eager, cooperative, or both"
  if (aFunction(assign) !== undefined) return "must have a function 'assign'"
  if (userData !== undefined && aFunction(userData) !== undefined) {
    return "must have a function as 'userData', if any"
  }
  return undefined
}

const someAssignors: Check<readonly (AssignorName | Assignor)[]> = (value) =>
  Array.isArray(value) && value.length === 0
    ? 'must name at least one'
    : anArrayOf(anAssignor)(value)

/** The checks and defaults of `GroupOptions`, in the order of the documents. */
export const GROUP_OPTIONS = {
  assignors: { check: someAssignors, default: ['range', 'cooperative-sticky'] },
  groupInstanceId: { check: aString, defaultText: 'none' },
  sessionTimeoutMs: { check: aDurationMs(1), default: 30_000 },
  heartbeatIntervalMs: {
    check: aDurationMs(1),
    defaultText: '1,000, or a third of a shorter `sessionTimeoutMs`',
  },
  maxPollIntervalMs: { check: aDurationMs(1), default: 300_000 },
} as const satisfies OptionTable<GroupOptions>

/** Even so an idle member sends half as many requests as Java's, which ends its fetches twice a second. */
const DEFAULT_HEARTBEAT_INTERVAL_MS = 1_000

/**
 * Returns the settings for options that were checked one by one. Throws InvalidArgumentError if they contradict each
 * other.
 */
export function groupSettings(
  options: GroupOptions,
  rest: Pick<GroupSettings, 'groupId' | 'subscription' | 'clientRack' | 'busyForMs'>,
): GroupSettings {
  const read = withDefaults(options, GROUP_OPTIONS)
  const { sessionTimeoutMs, groupInstanceId, maxPollIntervalMs } = read
  const assignors = read.assignors.map((one) => (typeof one === 'string' ? BUILT_IN[one] : one))
  const names = assignors.map(({ name }) => name)
  const protocol = (['cooperative', 'eager'] as const).find((one) =>
    assignors.every(({ protocols }) => protocols.includes(one)),
  )
  if (protocol === undefined) {
    throw new InvalidArgumentError(
      `assignors: ${names.join(', ')} have no rebalance protocol (eager, cooperative) in common`,
    )
  }
  if (new Set(names).size < names.length) {
    throw new InvalidArgumentError(`assignors: ${names.join(', ')}: each may be listed only once`)
  }
  const heartbeatIntervalMs =
    options.heartbeatIntervalMs ??
    Math.min(DEFAULT_HEARTBEAT_INTERVAL_MS, Math.ceil(sessionTimeoutMs / 3))
  if (heartbeatIntervalMs >= sessionTimeoutMs) {
    throw new InvalidArgumentError(
      `heartbeatIntervalMs (${heartbeatIntervalMs}) must be less than sessionTimeoutMs (${sessionTimeoutMs}); at most a third of it is recommended`,
    )
  }
  return {
    ...rest,
    assignors,
    protocol,
    groupInstanceId,
    sessionTimeoutMs,
    heartbeatIntervalMs,
    maxPollIntervalMs,
  }
}
