import type { Reader } from '../buffer/reader.ts'
import { api, type RequestOf, type ResponseOf } from '../schema/api.ts'
import { dropTags } from '../schema/compact.ts'
import { array, int16, int32, int64, int8, string } from '../schema/fields.ts'

const NO_OFFSETS: readonly bigint[] = Object.freeze([])

/**
 * Returns the offset for a timestamp, or of the start (-2) or end (-1) of a partition. v0 returns a
 * list of segment start offsets.
 */
export const listOffsets = api({
  key: 2,
  name: 'ListOffsets',
  versions: '0-11',
  flexible: '6+',
  request: {
    replicaId: int32('0+'),
    isolationLevel: int8('2+'),
    topics: array('0+', {
      name: string('0+'),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
        currentLeaderEpoch: int32('4+', { default: -1, ignorable: true }),
        timestamp: int64('0+'),
        maxNumOffsets: int32('0', { default: 1 }),
      }),
    }),
    timeoutMs: int32('10+', { ignorable: true }),
  },
  response: {
    throttleTimeMs: int32('2+', { ignorable: true }),
    topics: array('0+', {
      name: string('0+'),
      partitions: array(
        '0+',
        {
          partitionIndex: int32('0+'),
          errorCode: int16('0+'),
          oldStyleOffsets: array('0', 'int64'),
          timestamp: int64('1+', { default: -1n }),
          offset: int64('1+', { default: -1n }),
          leaderEpoch: int32('4+', { default: -1 }),
        },
        {},
        { versions: '6+', read: readPartition },
      ),
    }),
  },
})

function readPartition(reader: Reader) {
  const partition = {
    partitionIndex: reader.int32(),
    errorCode: reader.int16(),
    oldStyleOffsets: NO_OFFSETS,
    timestamp: reader.int64(),
    offset: reader.int64(),
    leaderEpoch: reader.int32(),
  }
  dropTags(reader)
  return partition
}

export type ListOffsetsRequest = RequestOf<typeof listOffsets>
export type ListOffsetsResponse = ResponseOf<typeof listOffsets>
