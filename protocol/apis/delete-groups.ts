import { api, type RequestOf, type ResponseOf } from '../schema/api.ts'
import { array, int16, int32, string } from '../schema/fields.ts'

/** Deletes groups that have no members. */
export const deleteGroups = api({
  key: 42,
  name: 'DeleteGroups',
  versions: '0-3',
  flexible: '2+',
  request: {
    groupsNames: array('0+', 'string'),
  },
  response: {
    throttleTimeMs: int32('0+'),
    results: array('0+', {
      groupId: string('0+'),
      errorCode: int16('0+'),
      errorMessage: string('3+', { default: null, nullable: '3+', ignorable: true }),
    }),
  },
})

export type DeleteGroupsRequest = RequestOf<typeof deleteGroups>
export type DeleteGroupsResponse = ResponseOf<typeof deleteGroups>
