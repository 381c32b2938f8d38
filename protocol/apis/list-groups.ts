import type { Reader } from '../buffer/reader.ts'
import { api, type RequestOf, type ResponseOf } from '../schema/api.ts'
import { compactText, dropTags } from '../schema/compact.ts'
import { array, int16, int32, string } from '../schema/fields.ts'

/** Lists the groups that a broker coordinates, filtered by state (v4) and type (v5). */
export const listGroups = api({
  key: 16,
  name: 'ListGroups',
  versions: '0-5',
  flexible: '3+',
  request: {
    statesFilter: array('4+', 'string'),
    typesFilter: array('5+', 'string'),
  },
  response: {
    throttleTimeMs: int32('1+', { ignorable: true }),
    errorCode: int16('0+'),
    groups: array(
      '0+',
      {
        groupId: string('0+'),
        protocolType: string('0+'),
        groupState: string('4+', { ignorable: true }),
        groupType: string('5+', { ignorable: true }),
      },
      {},
      { versions: '5', read: readGroup },
    ),
  },
})

function readGroup(reader: Reader) {
  const group = {
    groupId: compactText(reader),
    protocolType: compactText(reader),
    groupState: compactText(reader),
    groupType: compactText(reader),
  }
  dropTags(reader)
  return group
}

export type ListGroupsRequest = RequestOf<typeof listGroups>
export type ListGroupsResponse = ResponseOf<typeof listGroups>
