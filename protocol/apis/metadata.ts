import type { Reader } from '../buffer/reader.ts'
import { compactInt32s, dropTags } from '../schema/compact.ts'
import { api, type RequestOf, type ResponseOf } from '../schema/api.ts'
import { array, bool, int16, int32, string, uuid } from '../schema/fields.ts'

/**
 * Returns brokers, topics, partitions and their leaders. A request for a missing topic may create
 * it (v4+: only if the request allows it).
 */
export const metadata = api({
  key: 3,
  name: 'Metadata',
  versions: '0-13',
  flexible: '9+',
  request: {
    topics: array(
      '0+',
      {
        topicId: uuid('10+', { ignorable: true }),
        name: string('0+', { nullable: '10+' }),
      },
      { nullable: '1+' },
    ),
    allowAutoTopicCreation: bool('4+', { default: true }),
    includeClusterAuthorizedOperations: bool('8-10'),
    includeTopicAuthorizedOperations: bool('8+'),
  },
  response: {
    throttleTimeMs: int32('3+', { ignorable: true }),
    brokers: array('0+', {
      nodeId: int32('0+'),
      host: string('0+'),
      port: int32('0+'),
      rack: string('1+', { default: null, nullable: '1+', ignorable: true }),
    }),
    clusterId: string('2+', { default: null, nullable: '2+', ignorable: true }),
    controllerId: int32('1+', { default: -1, ignorable: true }),
    topics: array('0+', {
      errorCode: int16('0+'),
      name: string('0+', { nullable: '12+' }),
      topicId: uuid('10+', { ignorable: true }),
      isInternal: bool('1+', { ignorable: true }),
      partitions: array(
        '0+',
        {
          errorCode: int16('0+'),
          partitionIndex: int32('0+'),
          leaderId: int32('0+'),
          leaderEpoch: int32('7+', { default: -1, ignorable: true }),
          replicaNodes: array('0+', 'int32'),
          isrNodes: array('0+', 'int32'),
          offlineReplicas: array('5+', 'int32', { ignorable: true }),
        },
        {},
        { versions: '9+', read: readPartition },
      ),
      topicAuthorizedOperations: int32('8+', { default: -0x80000000 }),
    }),
    clusterAuthorizedOperations: int32('8-10', { default: -0x80000000 }),
    errorCode: int16('13+', { ignorable: true }),
  },
})

function readPartition(reader: Reader) {
  const partition = {
    errorCode: reader.int16(),
    partitionIndex: reader.int32(),
    leaderId: reader.int32(),
    leaderEpoch: reader.int32(),
    replicaNodes: compactInt32s(reader),
    isrNodes: compactInt32s(reader),
    offlineReplicas: compactInt32s(reader),
  }
  dropTags(reader)
  return partition
}

export type MetadataRequest = RequestOf<typeof metadata>
export type MetadataResponse = ResponseOf<typeof metadata>
