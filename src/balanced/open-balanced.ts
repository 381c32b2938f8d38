/**
 * What the first `getBalancedConsumer` loads: members of groups and all group protocols, a sixth of the client's code,
 * for which a program without groups need not wait at its start.
 */
import type { OpenRegister } from '../async/restarts.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { CONSUMER_OPTIONS } from '../consumer/options.ts'
import { checkEffects, checkValues, type AnyOptionTable } from '../option-table.ts'
import {
  BalancedConsumer,
  TOPIC_OPTIONS,
  type BalancedConsumerOptions,
} from './balanced-consumer.ts'
import { BalancedMember, type MakeMember } from './balanced-member.ts'
import {
  BALANCED_TOPICS_OPTIONS,
  BalancedTopicsConsumer,
  type BalancedTopicsConsumerOptions,
} from './balanced-topics-consumer.ts'
import { REBALANCE_OPTIONS } from './options.ts'
import { GROUP_PROTOCOL_CHOICE, PROTOCOL_OPTIONS, protocolOf } from './protocols.ts'

/** The options that balanced consumers of all protocols have. They cannot stop at an end: assignments change. */
const BALANCED_OPTIONS: AnyOptionTable = {
  ...Object.fromEntries(Object.entries(CONSUMER_OPTIONS).filter(([name]) => name !== 'stopAtEnd')),
  ...REBALANCE_OPTIONS,
  ...GROUP_PROTOCOL_CHOICE,
}

/** Returns a member for one topic, which is not started. Throws InvalidArgumentError. */
export function balancedConsumer<Value, Key>(
  cluster: Cluster,
  topic: string,
  options: BalancedConsumerOptions<Value, Key>,
  register: OpenRegister,
): BalancedConsumer<Value, Key> {
  checkBalancedOptions(options, TOPIC_OPTIONS)
  return new BalancedConsumer<Value, Key>(cluster, topic, options, register, newMember)
}

/** The same for several topics. */
export function balancedTopicsConsumer<Value, Key>(
  cluster: Cluster,
  options: BalancedTopicsConsumerOptions<Value, Key>,
  register: OpenRegister,
): BalancedTopicsConsumer<Value, Key> {
  checkBalancedOptions(options, BALANCED_TOPICS_OPTIONS)
  return new BalancedTopicsConsumer<Value, Key>(cluster, options, register, newMember)
}

function newMember<Value, Key>(
  ...[parts, before]: Parameters<MakeMember<Value, Key>>
): BalancedMember<Value, Key> {
  return new BalancedMember(parts, before)
}

/**
 * Throws InvalidArgumentError. An option of another protocol is refused as such, before the effects of options on each
 * other are checked: advice about those would be wrong.
 */
function checkBalancedOptions(options: object, own: AnyOptionTable): void {
  const what = 'getBalancedConsumer'
  const common = { ...BALANCED_OPTIONS, ...own }
  checkValues(what, options, { ...common, ...PROTOCOL_OPTIONS })
  checkEffects(what, options, { ...common, ...protocolOf(options).options })
}
