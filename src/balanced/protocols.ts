/** The table of group protocols, and how the options of a balanced consumer choose one. */
import { InvalidArgumentError } from '../errors.ts'
import type { AnyOptionTable, OptionTable } from '../option-table.ts'
import { aBoolean, aKeyOf, type Check } from '../options.ts'
import { classicProtocol } from './classic/protocol.ts'
import type { GroupProtocol } from './group-protocol.ts'
import { zookeeperProtocol } from './zookeeper/protocol.ts'

const PROTOCOLS = {
  zookeeper: zookeeperProtocol,
  classic: classicProtocol,
} as const satisfies Readonly<Record<string, GroupProtocol>>

/** How the members of a group divide the partitions. */
export type GroupProtocolName = keyof typeof PROTOCOLS

/** Kafka's own names for what is not in the table. */
const NOT_SUPPORTED: Readonly<Record<string, string>> = {
  consumer:
    "cannot be 'consumer' yet: the protocol of KIP-848 is not supported. Use 'classic', which the same brokers have",
}

const aGroupProtocol: Check<GroupProtocolName> = (value) =>
  NOT_SUPPORTED[String(value)] ?? aKeyOf(PROTOCOLS)(value)

/** The options that a protocol has and others do not. */
export const PROTOCOL_OPTIONS: AnyOptionTable = Object.fromEntries(
  Object.values<GroupProtocol>(PROTOCOLS).flatMap(({ options }) => Object.entries(options)),
)

/** Options that mean the same to different protocols. */
const COUNTERPARTS: Readonly<Record<string, string>> = {
  membershipProtocol: 'assignors',
  assignors: 'membershipProtocol',
}

/** What chooses a protocol. */
export interface GroupProtocolChoice {
  /**
   * How the members of the group divide the partitions: `zookeeper`, as pykafka's do, or `classic`, Kafka's own group
   * protocol since 0.9. All members of a group need the same. Default: `zookeeper`; with `managed: true` `classic`.
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
 * The protocol that options choose. `managed` is pykafka's name for the classic protocol. Throws InvalidArgumentError for
 * options that contradict each other, or that belong to another protocol.
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
      `getBalancedConsumer: groupProtocol: '${groupProtocol}' and managed: ${managed} contradict each other: leave managed out`,
    )
  }
  const protocol: GroupProtocol = PROTOCOLS[groupProtocol ?? byManaged]
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || Object.hasOwn(protocol.options, name)) continue
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
