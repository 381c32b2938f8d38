import type { Check } from '../options.ts'

/** The kinds of coordinators: of a group, a transactional id, or the state of a share group's partition (KIP-932). */
export type CoordinatorKind = 'group' | 'transaction' | 'share'

/** The broker that a request goes to. Only `any` tries another broker when one cannot be reached. */
export type Target =
  /** Any broker that can be reached. */
  'any' | BrokerTarget

/** A target that is one particular broker at a time. */
export type BrokerTarget =
  /**
   * The broker that Metadata names as the controller. In a KRaft cluster it forwards requests to the active controller.
   */
  | 'controller'
  /** The broker with this node id. */
  | { readonly broker: number }
  /** The leader of this partition. */
  | { readonly leader: { readonly topic: string; readonly partition: number } }
  /** The coordinator of a group, share group or transactional id. */
  | { readonly coordinator: CoordinatorKind; readonly key: string }

export type CoordinatorTarget = Extract<BrokerTarget, { readonly coordinator: CoordinatorKind }>

export function isCoordinator(to: BrokerTarget): to is CoordinatorTarget {
  return typeof to === 'object' && 'coordinator' in to
}

const COORDINATORS: readonly unknown[] = [
  'group',
  'transaction',
  'share',
] satisfies CoordinatorKind[]

/** Checks a target from an application. */
export const aTarget: Check = (value) => (isTarget(value) ? undefined : EXPECTED)

const EXPECTED =
  "must be 'any', 'controller', { broker: id }, { leader: { topic, partition } } or " +
  "{ coordinator: 'group' | 'transaction' | 'share', key }"

function isTarget(value: unknown): boolean {
  if (typeof value === 'string') return value === 'any' || value === 'controller'
  if (typeof value !== 'object' || value === null) return false
  const { broker, leader, coordinator, key }: Record<string, unknown> = { ...value }
  switch (Object.keys(value).sort().join()) {
    case 'broker':
      return Number.isInteger(broker)
    case 'leader': {
      if (typeof leader !== 'object' || leader === null) return false
      const { topic, partition }: Record<string, unknown> = { ...leader }
      return typeof topic === 'string' && Number.isInteger(partition)
    }
    case 'coordinator,key':
      return COORDINATORS.includes(coordinator) && typeof key === 'string'
    default:
      return false
  }
}
