/** The table of group protocols, and how the options of a balanced consumer choose one. */
import { InvalidArgumentError } from '../errors.ts'
import type { AnyOptionTable, OptionTable } from '../option-table.ts'
import { aBoolean, aKeyOf, type Check } from '../options.ts'
import { autoProtocol } from './auto-protocol.ts'
import { classicProtocol } from './classic/protocol.ts'
import { consumerProtocol } from './consumer/protocol.ts'
import type { GroupProtocol } from './group-protocol.ts'
import { zookeeperProtocol } from './zookeeper/protocol.ts'

const PROTOCOLS = {
  zookeeper: zookeeperProtocol,
  classic: classicProtocol,
  consumer: consumerProtocol,
  auto: autoProtocol,
} as const satisfies Readonly<Record<string, GroupProtocol>>

/** How the members of a group divide the partitions. */
export type GroupProtocolName = keyof typeof PROTOCOLS

const aGroupProtocol: Check<GroupProtocolName> = aKeyOf(PROTOCOLS)

/** The options that some protocols have and others do not. */
export const PROTOCOL_OPTIONS: AnyOptionTable = Object.fromEntries(
  Object.values<GroupProtocol>(PROTOCOLS).flatMap(({ options }) => Object.entries(options)),
)

/** Options with the same meaning in different protocols. */
const COUNTERPARTS: Readonly<Record<string, string>> = {
  membershipProtocol: 'assignors',
  assignors: 'membershipProtocol',
}

/** The options that choose a protocol. */
export interface GroupProtocolChoice {
  /**
   * How the members of the group divide the partitions: `zookeeper`, as pykafka's do; `classic`, Kafka's own group
   * protocol since 0.9, in which a member assigns; `consumer`, Kafka's protocol since 4.0, in which the broker assigns
   * (KIP-848); or `auto`: `consumer` where the brokers have it, `classic` where they do not. Groups of ZooKeeper and of
   * Kafka are different groups; members of `classic` and `consumer` can be in one group. Default: `zookeeper`; with
   * `managed: true` `classic`.
   */
  readonly groupProtocol?: GroupProtocolName
  /** `true` is pykafka's name for `groupProtocol: 'classic'`. Default: false. */
  readonly managed?: boolean
}

/** The checks and defaults of `GroupProtocolChoice`. */
export const GROUP_PROTOCOL_CHOICE = {
  groupProtocol: {
    check: aGroupProtocol,
    defaultText: '`zookeeper`; with `managed: true` `classic`',
  },
  managed: { check: aBoolean, default: false },
} as const satisfies OptionTable<GroupProtocolChoice>

/**
 * Returns the protocol that the options choose. `managed` is pykafka's name for the classic protocol. Throws
 * InvalidArgumentError for options that contradict each other, or that belong to another protocol.
 */
export function protocolOf(options: GroupProtocolChoice & object): GroupProtocol {
  const { groupProtocol, managed } = options
  const byManaged = managed === true ? 'classic' : 'zookeeper'
  if (
    groupProtocol !== undefined &&
    managed !== undefined &&
    (groupProtocol === 'zookeeper') === managed
  ) {
    throw new InvalidArgumentError(
      `getBalancedConsumer: groupProtocol: '${groupProtocol}' and managed: ${managed} contradict each other: omit managed`,
    )
  }
  const protocol: GroupProtocol = PROTOCOLS[groupProtocol ?? byManaged]
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || Object.hasOwn(protocol.options, name)) continue
    // The first protocol that has the option: `auto`, the last, has the options of two others.
    const owners = Object.entries<GroupProtocol>(PROTOCOLS).filter(([, own]) =>
      Object.hasOwn(own.options, name),
    )
    const [first] = owners
    if (first === undefined) continue
    const counterpart = COUNTERPARTS[name]
    const use =
      counterpart !== undefined && Object.hasOwn(protocol.options, counterpart)
        ? `use '${counterpart}' here; `
        : ''
    throw new InvalidArgumentError(
      `getBalancedConsumer: option '${name}' is for ${first[1].groups}: ${use}it needs groupProtocol: '${first[0]}'`,
    )
  }
  return protocol
}
