import { api, type RequestOf, type ResponseOf } from '../schema/api.ts'
import { array, int16, int32, string, struct, uuid } from '../schema/fields.ts'

const topicPartitionsFields = {
  topicId: uuid('0+'),
  partitions: array('0+', 'int32'),
}

/**
 * Joins a group of the newer protocol, keeps the membership, receives assignments, and leaves
 * (KIP-848).
 */
export const consumerGroupHeartbeat = api({
  key: 68,
  name: 'ConsumerGroupHeartbeat',
  versions: '0-1',
  flexible: '0+',
  request: {
    groupId: string('0+'),
    memberId: string('0+'),
    memberEpoch: int32('0+'),
    instanceId: string('0+', { default: null, nullable: '0+' }),
    rackId: string('0+', { default: null, nullable: '0+' }),
    rebalanceTimeoutMs: int32('0+', { default: -1 }),
    subscribedTopicNames: array('0+', 'string', { default: null, nullable: '0+' }),
    subscribedTopicRegex: string('1+', { default: null, nullable: '1+' }),
    serverAssignor: string('0+', { default: null, nullable: '0+' }),
    topicPartitions: array(
      '0+',
      {
        topicId: uuid('0+'),
        partitions: array('0+', 'int32'),
      },
      { default: null, nullable: '0+' },
    ),
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

export type ConsumerGroupHeartbeatRequest = RequestOf<typeof consumerGroupHeartbeat>
export type ConsumerGroupHeartbeatResponse = ResponseOf<typeof consumerGroupHeartbeat>
