import type { Reader } from '../buffer/reader.ts'
import { api, type RequestOf, type ResponseOf } from '../schema/api.ts'
import { compactStructs, compactText, compactTextOrNull, dropTags } from '../schema/compact.ts'
import { array, bool, int16, int32, int64, string, uuid, ZERO_UUID } from '../schema/fields.ts'

/**
 * Returns the committed offsets of a group; v0 reads them from ZooKeeper. From v8 on a request can
 * contain several groups.
 */
export const offsetFetch = api({
  key: 9,
  name: 'OffsetFetch',
  versions: '0-10',
  flexible: '6+',
  request: {
    groupId: string('0-7'),
    topics: array(
      '0-7',
      {
        name: string('0-7'),
        partitionIndexes: array('0-7', 'int32'),
      },
      { nullable: '2-7' },
    ),
    groups: array('8+', {
      groupId: string('8+'),
      memberId: string('9+', { default: null, nullable: '9+', ignorable: true }),
      memberEpoch: int32('9+', { default: -1, ignorable: true }),
      topics: array(
        '8+',
        {
          name: string('8-9', { ignorable: true }),
          topicId: uuid('10+', { ignorable: true }),
          partitionIndexes: array('8+', 'int32'),
        },
        { nullable: '8+' },
      ),
    }),
    requireStable: bool('7+'),
  },
  response: {
    throttleTimeMs: int32('3+', { ignorable: true }),
    topics: array('0-7', {
      name: string('0-7'),
      partitions: array('0-7', {
        partitionIndex: int32('0-7'),
        committedOffset: int64('0-7'),
        committedLeaderEpoch: int32('5-7', { default: -1, ignorable: true }),
        metadata: string('0-7', { nullable: '0-7' }),
        errorCode: int16('0-7'),
      }),
    }),
    errorCode: int16('2-7', { ignorable: true }),
    groups: array('8+', {
      groupId: string('8+'),
      topics: array(
        '8+',
        {
          name: string('8-9', { ignorable: true }),
          topicId: uuid('10+', { ignorable: true }),
          partitions: array('8+', {
            partitionIndex: int32('8+'),
            committedOffset: int64('8+'),
            committedLeaderEpoch: int32('8+', { default: -1, ignorable: true }),
            metadata: string('8+', { nullable: '8+' }),
            errorCode: int16('8+'),
          }),
        },
        {},
        { versions: '8-9', read: readTopic },
      ),
      errorCode: int16('8+'),
    }),
  },
})

function readTopic(reader: Reader) {
  const topic = {
    name: compactText(reader),
    topicId: ZERO_UUID,
    partitions: compactStructs(reader, readPartition),
  }
  dropTags(reader)
  return topic
}

function readPartition(reader: Reader) {
  const partition = {
    partitionIndex: reader.int32(),
    committedOffset: reader.int64(),
    committedLeaderEpoch: reader.int32(),
    metadata: compactTextOrNull(reader),
    errorCode: reader.int16(),
  }
  dropTags(reader)
  return partition
}

export type OffsetFetchRequest = RequestOf<typeof offsetFetch>
export type OffsetFetchResponse = ResponseOf<typeof offsetFetch>
