import { deleteGroups, ErrorCode, listGroups } from '../../../protocol/index.ts'
import { describe } from '../consumer/group.ts'
import { protocolErrorOf } from '../error-from.ts'
import { KafkaJSDeleteGroupsError } from '../errors.ts'
import type { Admin } from '../types/admin.ts'
import { operate, refuse, type AdminParts } from './context.ts'

type GroupOperations = Pick<Admin, 'listGroups' | 'describeGroups' | 'deleteGroups'>

export function groupOperations(parts: AdminParts): GroupOperations {
  return {
    listGroups: () =>
      operate(parts, async (client) => {
        const brokers = await client.brokers.list()
        const responses = await Promise.all(
          brokers.map(({ id }) => client.request(listGroups, {}, { to: { broker: id } })),
        )
        return {
          groups: responses.flatMap(({ groups }) =>
            groups.map(({ groupId, protocolType }) => ({ groupId, protocolType })),
          ),
        }
      }),

    describeGroups: (groupIds) =>
      operate(parts, async (client) => {
        const groups = await Promise.all(groupIds.map((groupId) => describe(client, groupId)))
        return { groups }
      }),

    deleteGroups: async (groupIds) => {
      if (!Array.isArray(groupIds)) refuse(`Invalid groupIds array ${String(groupIds)}`)
      const isText = (one: unknown) => typeof one === 'string'
      if (!groupIds.every(isText)) refuse(`Invalid groupId name: ${JSON.stringify(true)}`)
      return operate(parts, async (client) => {
        const responses = await Promise.all(
          groupIds.map((groupId) =>
            client.request(
              deleteGroups,
              { groupsNames: [groupId] },
              { to: { coordinator: 'group', key: groupId } },
            ),
          ),
        )
        const results = responses.flatMap((response) =>
          response.results.map(({ groupId, errorCode }) => ({
            groupId,
            errorCode,
            ...(errorCode === ErrorCode.NONE ? {} : { error: protocolErrorOf(errorCode) }),
          })),
        )
        const failed = results.flatMap(({ groupId, errorCode, error }) =>
          error === undefined ? [] : { groupId, errorCode, error },
        )
        if (failed.length > 0) throw new KafkaJSDeleteGroupsError('Error in DeleteGroups', failed)
        return results
      })
    },
  }
}
