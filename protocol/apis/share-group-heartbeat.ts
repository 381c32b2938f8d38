import { api, type RequestOf, type ResponseOf } from '../schema/api.ts'
import { array, int16, int32, string, struct, uuid } from '../schema/fields.ts'

const topicPartitionsFields = {
  topicId: uuid('0+'),
  partitions: array('0+', 'int32'),
}

/** Joins a share group, keeps the membership, and leaves (KIP-932). */
export const shareGroupHeartbeat = api({
  key: 76,
  name: 'ShareGroupHeartbeat',
  versions: '0-1',
  flexible: '0+',
  request: {
    groupId: string('0+'),
    memberId: string('0+'),
    memberEpoch: int32('0+'),
    rackId: string('0+', { default: null, nullable: '0+' }),
    subscribedTopicNames: array('0+', 'string', { default: null, nullable: '0+' }),
  },
  response: {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: string('0+', { default: null, nullable: '0+' }),
    memberId: string('0+', { default: null, nullable: '0+' }),
    memberEpoch: int32('0+'),
    heartbeatIntervalMs: int32('0+'),
    assignment: struct(
      '0+',
      {
        topicPartitions: array('0+', topicPartitionsFields),
      },
      { default: null, nullable: '0+' },
    ),
  },
})

export type ShareGroupHeartbeatRequest = RequestOf<typeof shareGroupHeartbeat>
export type ShareGroupHeartbeatResponse = ResponseOf<typeof shareGroupHeartbeat>
