import type { Reader } from '../buffer/reader.ts'
import { compactInt32s, dropTags, skipCompactInt32s } from '../schema/compact.ts'
import { api, type RequestOf, type ResponseOf } from '../schema/api.ts'
import { array, bool, int16, int32, string, uuid, type Decoded } from '../schema/fields.ts'

const DECLARATION = {
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
} as const

const PARTITION = {
  errorCode: int16('0+'),
  partitionIndex: int32('0+'),
  leaderId: int32('0+'),
  leaderEpoch: int32('7+', { default: -1, ignorable: true }),
  replicaNodes: array('0+', 'int32'),
  isrNodes: array('0+', 'int32'),
  offlineReplicas: array('5+', 'int32', { ignorable: true }),
} as const

type Partition = Decoded<typeof PARTITION>

const responseWith = (read: (reader: Reader) => Partition) =>
  ({
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
      partitions: array('0+', PARTITION, {}, { versions: '9+', read }),
      topicAuthorizedOperations: int32('8+', { default: -0x80000000 }),
    }),
    clusterAuthorizedOperations: int32('8-10', { default: -0x80000000 }),
    errorCode: int16('13+', { ignorable: true }),
  }) as const

/**
 * Returns brokers, topics, partitions and their leaders. A request for a missing topic may create
 * it (v4+: only if the request allows it).
 */
export const metadata = api({ ...DECLARATION, response: responseWith(readPartition) })

/**
 * The same request, for callers that need the names of all topics only: a cluster may have 100,000
 * partitions, and their entries are skipped instead of decoded (from v9 on).
 */
export const metadataOfNames = api({ ...DECLARATION, response: responseWith(skipPartition) })

function readPartition(reader: Reader): Partition {
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

const SKIPPED: Partition = {
  errorCode: 0,
  partitionIndex: 0,
  leaderId: -1,
  leaderEpoch: -1,
  replicaNodes: [],
  isrNodes: [],
  offlineReplicas: [],
}

function skipPartition(reader: Reader): Partition {
  // Its error, number, leader and leader epoch.
  reader.skip(14)
  skipCompactInt32s(reader)
  skipCompactInt32s(reader)
  skipCompactInt32s(reader)
  dropTags(reader)
  return SKIPPED
}

export type MetadataRequest = RequestOf<typeof metadata>
export type MetadataResponse = ResponseOf<typeof metadata>
