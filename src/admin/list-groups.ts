import { listGroups } from '../../protocol/apis/list-groups.ts'
import type { Deadline } from '../async/deadline.ts'
import { CALL_OPTIONS, type CallOptions } from '../call-options.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { BrokerFailure } from '../cluster/fan-out.ts'
import { BrokerError, UnsupportedVersionError, requiresKafka } from '../errors.ts'
import type { OptionTable } from '../option-table.ts'
import { anArrayOf, aString, either, oneOf } from '../options.ts'
import { GROUP_TYPES, type GroupType } from './group-description.ts'
import { throwIfRequestRejected } from './incomplete.ts'
import { compareText } from './items.ts'

/** A group as `listGroups` returns it. */
export interface ListedGroup {
  /** The name of the group. */
  readonly group: string
  /** Undefined before Kafka 3.7, which has only classic groups. */
  readonly type?: GroupType
  /** Undefined before Kafka 2.6. */
  readonly state?: string
  /** `consumer` for consumers; empty for a group that has only committed offsets. */
  readonly protocolType: string
  /** The node id of the broker that coordinates the group. */
  readonly coordinator: number
}

/** The result of `listGroups`. */
export interface GroupList {
  /** The groups of all brokers that responded. */
  readonly groups: readonly ListedGroup[]
  /** Brokers that did not respond; their groups are missing. */
  readonly incomplete: readonly BrokerFailure[]
}

/** The options of `listGroups`. */
export interface ListGroupsOptions extends CallOptions {
  /** Only groups in these states, such as `Stable` or `Empty` (Kafka 2.6 or newer). Default: all. */
  readonly states?: readonly string[]
  /** Only groups of these types (Kafka 3.7 or newer). Default: all. */
  readonly types?: readonly GroupType[]
  /** Only groups of these protocol types, such as `consumer` or `connect`. Default: all. */
  readonly protocolTypes?: readonly string[]
}

/** The checks and defaults of `ListGroupsOptions`. */
export const LIST_GROUPS_OPTIONS = {
  ...CALL_OPTIONS,
  states: { check: anArrayOf(aString), defaultText: 'all' },
  types: { check: anArrayOf(oneOf(...GROUP_TYPES)), defaultText: 'all' },
  protocolTypes: { check: anArrayOf(either(aString, oneOf(''))), defaultText: 'all' },
} as const satisfies OptionTable<ListGroupsOptions>

const WITH_STATES = 4
const WITH_TYPES = 5

export async function lookUpGroups(
  cluster: Cluster,
  deadline: Deadline,
  { states, types, protocolTypes }: Omit<ListGroupsOptions, keyof CallOptions> = {},
): Promise<GroupList> {
  const what = 'listing the groups'
  const { answers, incomplete } = await cluster.fanOut.everyBroker({
    what,
    deadline,
    ask: async (recipient) => {
      const response = await recipient.request(listGroups, (version) => {
        if (states !== undefined && version < WITH_STATES) throw tooOld('states', '2.6')
        if (types !== undefined && version < WITH_TYPES) throw tooOld('types', '3.7')
        return {
          ...(version < WITH_STATES ? {} : { statesFilter: states ?? [] }),
          ...(version < WITH_TYPES ? {} : { typesFilter: types ?? [] }),
        }
      })
      if (response.errorCode !== 0) {
        throw new BrokerError(response.errorCode, what, { broker: recipient.name })
      }
      return response.groups
    },
  })
  throwIfRequestRejected(incomplete)
  // While a group moves, two brokers may list it: the entry whose state is not Dead counts.
  const byName = new Map<string, ListedGroup>()
  for (const { broker, result } of answers) {
    for (const { groupId: group, groupType, groupState, protocolType } of result) {
      const known = byName.get(group)
      if (known !== undefined && known.state !== 'Dead') continue
      const type = typeOf(groupType)
      byName.set(group, {
        group,
        ...(type === undefined ? {} : { type }),
        ...(groupState === '' ? {} : { state: groupState }),
        protocolType,
        coordinator: broker,
      })
    }
  }
  // Requests have no such filter. As in Java, the client filters the list.
  const wanted = [...byName.values()].filter(
    ({ protocolType }) => protocolTypes?.includes(protocolType) ?? true,
  )
  const groups = wanted.sort((a, b) => compareText(a.group, b.group))
  return { groups, incomplete }
}

/** Some versions of Kafka begin the names of the types with a capital. */
function typeOf(name: string): GroupType | undefined {
  return GROUP_TYPES.find((type) => type === name.toLowerCase())
}

function tooOld(filter: string, release: string): UnsupportedVersionError {
  return requiresKafka(`listing the groups: the filter '${filter}'`, release)
}
