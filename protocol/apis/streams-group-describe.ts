import { api, type RequestOf, type ResponseOf } from '../schema/api.ts'
import { array, bool, int16, int32, int64, int8, string, struct, uint16 } from '../schema/fields.ts'

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

const assignmentFields = {
  activeTasks: array('0+', taskIdsFields),
  standbyTasks: array('0+', taskIdsFields),
  warmupTasks: array('0+', taskIdsFields),
}

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

const topologyDescriptionNodeFields = {
  name: string('1+'),
  nodeType: int8('1+'),
  sourceTopics: array('1+', 'string'),
  sinkTopic: string('1+', { default: null, nullable: '1+' }),
  stores: array('1+', 'string'),
  successors: array('1+', 'string'),
}

const topologyDescriptionSubtopologyFields = {
  subtopologyId: string('1+'),
  nodes: array('1+', topologyDescriptionNodeFields),
}

const topologyDescriptionGlobalStoreFields = {
  source: struct('1+', topologyDescriptionNodeFields),
  processor: struct('1+', topologyDescriptionNodeFields),
}

const topologyDescriptionFields = {
  subtopologies: array('1+', topologyDescriptionSubtopologyFields),
  globalStores: array('1+', topologyDescriptionGlobalStoreFields),
}

/** Describes streams groups, their topologies, members and tasks. */
export const streamsGroupDescribe = api({
  key: 89,
  name: 'StreamsGroupDescribe',
  versions: '0-1',
  flexible: '0+',
  request: {
    groupIds: array('0+', 'string'),
    includeAuthorizedOperations: bool('0+'),
    includeTopologyDescription: bool('1+'),
  },
  response: {
    throttleTimeMs: int32('0+'),
    groups: array('0+', {
      errorCode: int16('0+'),
      errorMessage: string('0+', { default: null, nullable: '0+' }),
      groupId: string('0+'),
      groupState: string('0+'),
      groupEpoch: int32('0+'),
      assignmentEpoch: int32('0+'),
      topology: struct(
        '0+',
        {
          epoch: int32('0+'),
          subtopologies: array(
            '0+',
            {
              subtopologyId: string('0+'),
              sourceTopics: array('0+', 'string'),
              repartitionSinkTopics: array('0+', 'string'),
              stateChangelogTopics: array('0+', topicInfoFields),
              repartitionSourceTopics: array('0+', topicInfoFields),
            },
            { default: null, nullable: '0+' },
          ),
        },
        { default: null, nullable: '0+' },
      ),
      members: array('0+', {
        memberId: string('0+'),
        memberEpoch: int32('0+'),
        instanceId: string('0+', { default: null, nullable: '0+' }),
        rackId: string('0+', { default: null, nullable: '0+' }),
        clientId: string('0+'),
        clientHost: string('0+'),
        topologyEpoch: int32('0+'),
        processId: string('0+'),
        userEndpoint: struct('0+', endpointFields, { default: null, nullable: '0+' }),
        clientTags: array('0+', keyValueFields),
        taskOffsets: array('0+', taskOffsetFields),
        taskEndOffsets: array('0+', taskOffsetFields),
        assignment: struct('0+', assignmentFields),
        targetAssignment: struct('0+', assignmentFields),
        isClassic: bool('0+'),
      }),
      authorizedOperations: int32('0+', { default: -0x80000000 }),
      topologyDescription: struct('1+', topologyDescriptionFields, {
        default: null,
        nullable: '1+',
      }),
      topologyDescriptionStatus: int8('1+'),
      assignorName: string('1+', { default: null, nullable: '1+', ignorable: true }),
    }),
  },
})

export type StreamsGroupDescribeRequest = RequestOf<typeof streamsGroupDescribe>
export type StreamsGroupDescribeResponse = ResponseOf<typeof streamsGroupDescribe>
