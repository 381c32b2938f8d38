import { api, type RequestOf, type ResponseOf } from '../schema/api.ts'
import { array, bool, int16, int32, int64, int8, string, struct, uint16 } from '../schema/fields.ts'

const keyValueFields = {
  key: string('0+'),
  value: string('0+'),
}

const topicInfoFields = {
  name: string('0+'),
  partitions: int32('0+'),
  replicationFactor: int16('0+'),
  topicConfigs: array('0+', keyValueFields),
}

const endpointFields = {
  host: string('0+'),
  port: uint16('0+'),
}

const taskOffsetFields = {
  subtopologyId: string('0+'),
  partition: int32('0+'),
  offset: int64('0+'),
}

const taskIdsFields = {
  subtopologyId: string('0+'),
  partitions: array('0+', 'int32'),
}

const statusFields = {
  statusCode: int8('0+'),
  statusDetail: string('0+'),
}

const topicPartitionFields = {
  topic: string('0+'),
  partitions: array('0+', 'int32'),
}

/** Joins a streams group, keeps the membership, and leaves (KIP-1071). */
export const streamsGroupHeartbeat = api({
  key: 88,
  name: 'StreamsGroupHeartbeat',
  versions: '0-1',
  flexible: '0+',
  request: {
    groupId: string('0+'),
    memberId: string('0+'),
    memberEpoch: int32('0+'),
    endpointInformationEpoch: int32('0+'),
    instanceId: string('0+', { default: null, nullable: '0+' }),
    rackId: string('0+', { default: null, nullable: '0+' }),
    rebalanceTimeoutMs: int32('0+', { default: -1 }),
    topology: struct(
      '0+',
      {
        epoch: int32('0+'),
        subtopologies: array('0+', {
          subtopologyId: string('0+'),
          sourceTopics: array('0+', 'string'),
          sourceTopicRegex: array('0+', 'string'),
          stateChangelogTopics: array('0+', topicInfoFields),
          repartitionSinkTopics: array('0+', 'string'),
          repartitionSourceTopics: array('0+', topicInfoFields),
          copartitionGroups: array('0+', {
            sourceTopics: array('0+', 'int16'),
            sourceTopicRegex: array('0+', 'int16'),
            repartitionSourceTopics: array('0+', 'int16'),
          }),
        }),
      },
      { default: null, nullable: '0+' },
    ),
    activeTasks: array('0+', taskIdsFields, { default: null, nullable: '0+' }),
    standbyTasks: array('0+', taskIdsFields, { default: null, nullable: '0+' }),
    warmupTasks: array('0+', taskIdsFields, { default: null, nullable: '0+' }),
    processId: string('0+', { default: null, nullable: '0+' }),
    userEndpoint: struct('0+', endpointFields, { default: null, nullable: '0+' }),
    clientTags: array('0+', keyValueFields, { default: null, nullable: '0+' }),
    taskOffsets: array('0+', taskOffsetFields, { default: null, nullable: '0+' }),
    taskEndOffsets: array('0+', taskOffsetFields, { default: null, nullable: '0+' }),
    shutdownApplication: bool('0+'),
  },
  response: {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: string('0+', { default: null, nullable: '0+' }),
    memberId: string('0+'),
    memberEpoch: int32('0+'),
    heartbeatIntervalMs: int32('0+'),
    acceptableRecoveryLagLegacy: int32('0'),
    taskOffsetIntervalMs: int32('0+'),
    acceptableRecoveryLag: int64('1+', { default: -1n, ignorable: true }),
    status: array('0+', statusFields, { nullable: '0+' }),
    activeTasks: array('0+', taskIdsFields, { default: null, nullable: '0+' }),
    standbyTasks: array('0+', taskIdsFields, { default: null, nullable: '0+' }),
    warmupTasks: array('0+', taskIdsFields, { default: null, nullable: '0+' }),
    topologyDescriptionRequired: bool('1+'),
    endpointInformationEpoch: int32('0+'),
    partitionsByUserEndpoint: array(
      '0+',
      {
        userEndpoint: struct('0+', endpointFields),
        activePartitions: array('0+', topicPartitionFields),
        standbyPartitions: array('0+', topicPartitionFields),
      },
      { default: null, nullable: '0+' },
    ),
  },
})

export type StreamsGroupHeartbeatRequest = RequestOf<typeof streamsGroupHeartbeat>
export type StreamsGroupHeartbeatResponse = ResponseOf<typeof streamsGroupHeartbeat>
