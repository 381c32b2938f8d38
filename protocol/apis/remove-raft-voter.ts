import { api, type RequestOf, type ResponseOf } from '../schema/api.ts'
import { int16, int32, string, uuid } from '../schema/fields.ts'

/** Removes a voter from the KRaft quorum (KIP-853). */
export const removeRaftVoter = api({
  key: 81,
  name: 'RemoveRaftVoter',
  versions: '0',
  flexible: '0+',
  request: {
    clusterId: string('0+', { nullable: '0+' }),
    voterId: int32('0+'),
    voterDirectoryId: uuid('0+'),
  },
  response: {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: string('0+', { nullable: '0+', ignorable: true }),
  },
})

export type RemoveRaftVoterRequest = RequestOf<typeof removeRaftVoter>
export type RemoveRaftVoterResponse = ResponseOf<typeof removeRaftVoter>
