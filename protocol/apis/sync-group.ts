import { api, type RequestOf, type ResponseOf } from '../schema/api.ts'
import { array, bytes, int16, int32, string } from '../schema/fields.ts'

/** Sends the leader's assignment to the coordinator, and returns to each member its own. */
export const syncGroup = api({
  key: 14,
  name: 'SyncGroup',
  versions: '0-5',
  flexible: '4+',
  request: {
    groupId: string('0+'),
    generationId: int32('0+'),
    memberId: string('0+'),
    groupInstanceId: string('3+', { default: null, nullable: '3+' }),
    protocolType: string('5+', { default: null, nullable: '5+', ignorable: true }),
    protocolName: string('5+', { default: null, nullable: '5+', ignorable: true }),
    assignments: array('0+', {
      memberId: string('0+'),
      assignment: bytes('0+'),
    }),
  },
  response: {
    throttleTimeMs: int32('1+', { ignorable: true }),
    errorCode: int16('0+'),
    protocolType: string('5+', { default: null, nullable: '5+', ignorable: true }),
    protocolName: string('5+', { default: null, nullable: '5+', ignorable: true }),
    assignment: bytes('0+'),
  },
})

export type SyncGroupRequest = RequestOf<typeof syncGroup>
export type SyncGroupResponse = ResponseOf<typeof syncGroup>
