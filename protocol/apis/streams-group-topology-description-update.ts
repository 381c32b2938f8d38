import { api, type RequestOf, type ResponseOf } from '../schema/api.ts'
import { array, int16, int32, int8, string, struct } from '../schema/fields.ts'

const topologyDescriptionNodeFields = {
  name: string('0+'),
  nodeType: int8('0+'),
  sourceTopics: array('0+', 'string'),
  sinkTopic: string('0+', { default: null, nullable: '0+' }),
  stores: array('0+', 'string'),
  successors: array('0+', 'string'),
}

const topologyDescriptionSubtopologyFields = {
  subtopologyId: string('0+'),
  nodes: array('0+', topologyDescriptionNodeFields),
}

const topologyDescriptionGlobalStoreFields = {
  source: struct('0+', topologyDescriptionNodeFields),
  processor: struct('0+', topologyDescriptionNodeFields),
}

const topologyDescriptionFields = {
  subtopologies: array('0+', topologyDescriptionSubtopologyFields),
  globalStores: array('0+', topologyDescriptionGlobalStoreFields),
}

/** Sends the description of a streams group's topology to its coordinator. */
export const streamsGroupTopologyDescriptionUpdate = api({
  key: 93,
  name: 'StreamsGroupTopologyDescriptionUpdate',
  versions: '0',
  flexible: '0+',
  request: {
    groupId: string('0+'),
    memberId: string('0+'),
    topologyEpoch: int32('0+'),
    topologyDescription: struct('0+', topologyDescriptionFields),
  },
  response: {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: string('0+', { default: null, nullable: '0+' }),
  },
})

export type StreamsGroupTopologyDescriptionUpdateRequest = RequestOf<
  typeof streamsGroupTopologyDescriptionUpdate
>
export type StreamsGroupTopologyDescriptionUpdateResponse = ResponseOf<
  typeof streamsGroupTopologyDescriptionUpdate
>
