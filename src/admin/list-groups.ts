import { listGroups as listGroupsApi } from '../../protocol/apis/list-groups.ts'
import type { Deadline } from '../async/deadline.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { BrokerFailure } from '../cluster/fan-out.ts'
import { BrokerError, UnsupportedVersionError } from '../errors.ts'
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

export interface GroupFilters {
  readonly states?: readonly string[]
  readonly types?: readonly GroupType[]
  readonly protocolTypes?: readonly string[]
}

const WITH_STATES = 4
const WITH_TYPES = 5

export async function listGroups(
  cluster: Cluster,
  deadline: Deadline,
  { states, types, protocolTypes }: GroupFilters = {},
): Promise<GroupList> {
  const what = 'listing the groups'
  const { answers, incomplete } = await cluster.fanOut.everyBroker({
    what,
    deadline,
    ask: async (recipient) => {
      const response = await recipient.request(listGroupsApi, (version) => {
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
  return new UnsupportedVersionError(
    `listing the groups: the filter '${filter}' requires Kafka ${release} or newer`,
  )
}
