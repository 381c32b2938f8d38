import { deleteGroups as deleteGroupsApi } from '../../protocol/apis/delete-groups.ts'
import { leaveGroup } from '../../protocol/apis/leave-group.ts'
import { requiresKafka } from '../errors.ts'
import type { OptionTable } from '../option-table.ts'
import { anArrayOf, aString } from '../options.ts'
import { CHANGE_OPTIONS, begin, type AdminContext, type ChangeOptions } from './context.ts'
import { describeGroupsOfAnyType } from './describe-groups.ts'
import { DESCRIBE_GROUPS_OPTIONS, type DescribeGroupsOptions } from './described-group.ts'
import type { GroupDescription } from './group-description.ts'
import { groupOffsetOperations } from './group-offsets.ts'
import { checkDistinct, itemError, outcomeOf, settled, type Item } from './items.ts'
import { LAG_OPTIONS, lagOf, lagOfEach, type GroupLag, type LagOptions } from './lag.ts'
import {
  LIST_GROUPS_OPTIONS,
  lookUpGroups,
  type GroupList,
  type ListGroupsOptions,
} from './list-groups.ts'

/** The result of an operation for one group, such as `deleteGroups`. */
export interface GroupResult extends Item {
  /** The name of the group. */
  readonly group: string
}

/** The options of `removeMembers`. */
export interface RemoveMembersOptions extends ChangeOptions {
  /** Only these static members, by `groupInstanceId`. Default: all members, dynamic ones too. */
  readonly instanceIds?: readonly string[]
  /** The reason, which appears in the broker's log (Kafka 3.2 or newer). Default: `removed by an administrator`. */
  readonly reason?: string
}

/** The checks and defaults of `RemoveMembersOptions`. */
export const REMOVE_MEMBERS_OPTIONS = {
  ...CHANGE_OPTIONS,
  instanceIds: { check: anArrayOf(aString), defaultText: 'all members, dynamic ones too' },
  reason: { check: aString, default: 'removed by an administrator' },
} as const satisfies OptionTable<RemoveMembersOptions>

/** The result of `removeMembers` for one member. */
export interface RemovedMember extends Item {
  /** The id of the member; undefined for a static member that was named by its `instanceId`. */
  readonly memberId?: string
  /** The `groupInstanceId` of a static member; undefined for other members. */
  readonly instanceId?: string
}

/**
 * Before this version a LeaveGroup request contains one member, identified by its member id only.
 */
const LEAVE_WITH_MEMBERS = 3

export function groupOperations(context: AdminContext) {
  const { cluster } = context
  return {
    ...groupOffsetOperations(context),

    /**
     * Returns the groups of all types, by id. Each broker lists the groups that it coordinates;
     * brokers that did not respond are in `incomplete`, and their groups are missing. The brokers
     * are those that Metadata returns during the call, never a list from before it.
     */
    async listGroups(options: ListGroupsOptions = {}): Promise<GroupList> {
      const { deadline, ...filters } = begin(context, 'listGroups', options, LIST_GROUPS_OPTIONS)
      return lookUpGroups(cluster, deadline, filters)
    },

    /**
     * Returns groups of any type with their members and assignments, in the order of the names. A
     * group that does not exist has an `error` with GROUP_ID_NOT_FOUND.
     */
    async describeGroups(
      groups: readonly string[],
      options: DescribeGroupsOptions = {},
    ): Promise<readonly GroupDescription[]> {
      const operation = 'describeGroups'
      const { deadline, ...settings } = begin(context, operation, options, DESCRIBE_GROUPS_OPTIONS)
      checkDistinct(operation, 'group', groups)
      return describeGroupsOfAnyType(cluster, groups, deadline, settings)
    },

    /**
     * Deletes groups of any type with their offsets (Kafka 1.1 or newer). Throws ItemsFailedError,
     * with NON_EMPTY_GROUP for a group that has members: stop them first, or call `removeMembers`.
     */
    async deleteGroups(
      groups: readonly string[],
      options: ChangeOptions = {},
    ): Promise<readonly GroupResult[]> {
      const operation = 'deleteGroups'
      const { deadline, settle } = begin(context, operation, options, CHANGE_OPTIONS)
      checkDistinct(operation, 'group', groups)
      const outcomes = await cluster.fanOut.run<string, undefined>({
        items: groups,
        to: (key) => ({ coordinator: 'group', key }),
        what: 'deleting groups',
        deadline,
        ask: async (names, recipient) => {
          const { results } = await recipient.request(deleteGroupsApi, { groupsNames: [...names] })
          return results.map(({ groupId, errorCode, errorMessage }) => {
            const what = `deleting group '${groupId}'`
            const error = itemError(errorCode, what, recipient.name, errorMessage)
            return outcomeOf(groupId, error, undefined)
          })
        },
      })
      const results = outcomes.map(({ item, error }) => ({
        group: item,
        ...(error === undefined ? {} : { error }),
      }))
      return settled(operation, results, settle)
    },

    /**
     * Returns how far groups are behind the ends of their partitions, with members, committed
     * offsets and log ends in one call. Partitions whose lag is not known have an `error` and no
     * lag, and the total of their group is undefined, never 0.
     */
    async lag(groups: readonly string[], options: LagOptions = {}): Promise<readonly GroupLag[]> {
      const { deadline, isReadCommitted } = begin(context, 'lag', options, LAG_OPTIONS)
      checkDistinct('lag', 'group', groups)
      return lagOf(cluster, groups, deadline, isReadCommitted)
    },

    /**
     * Yields the lag of every group, one by one, by id, for clusters with very many groups. Throws
     * at the end if brokers did not list their groups.
     */
    eachLag(options: LagOptions = {}): AsyncIterable<GroupLag> {
      const { deadline, isReadCommitted } = begin(context, 'eachLag', options, LAG_OPTIONS)
      return lagOfEach(cluster, deadline, isReadCommitted)
    },

    /**
     * Removes members from a classic group, which then rebalances; members that still run join
     * again (Kafka 2.4 or newer). Java: `removeMembersFromConsumerGroup`. Throws ItemsFailedError.
     */
    async removeMembers(
      group: string,
      options: RemoveMembersOptions = {},
    ): Promise<readonly RemovedMember[]> {
      const operation = 'removeMembers'
      const settings = begin(context, operation, options, REMOVE_MEMBERS_OPTIONS)
      const { deadline, instanceIds, reason, settle } = settings
      checkDistinct(operation, 'group', [group])
      const members =
        instanceIds?.map((groupInstanceId) => ({ memberId: '', groupInstanceId })) ??
        (await membersOf(group))
      if (members.length === 0) return []
      const what = `removing members of group '${group}'`
      const response = await cluster.router.call(
        leaveGroup,
        (version) => {
          if (version < LEAVE_WITH_MEMBERS) {
            throw requiresKafka(what, '2.4')
          }
          return { groupId: group, members: members.map((member) => ({ ...member, reason })) }
        },
        { to: { coordinator: 'group', key: group }, what, deadline },
      )
      const results = response.members.map(({ memberId, groupInstanceId, errorCode }) => {
        const error = itemError(errorCode, what, undefined)
        return {
          ...(memberId === '' ? {} : { memberId }),
          ...(groupInstanceId === null ? {} : { instanceId: groupInstanceId }),
          ...(error === undefined ? {} : { error }),
        }
      })
      return settled(operation, results, settle)

      async function membersOf(name: string) {
        const [described] = await describeGroupsOfAnyType(cluster, [name], deadline)
        if (described?.error !== undefined) throw described.error
        return (described?.members ?? []).map(({ memberId, instanceId }) =>
          instanceId === undefined
            ? { memberId, groupInstanceId: null }
            : { memberId: '', groupInstanceId: instanceId },
        )
      }
    },
  }
}
