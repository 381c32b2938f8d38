import { describe, expect, it } from '@jest/globals'
import { ErrorCode } from '../../../protocol/errors.ts'
import {
  updatedMetadata,
  type PartitionMetadata,
  type TopicMetadata,
} from '../../../src/cluster/metadata.ts'

const ID = '00000000-0000-0000-0000-00000000000a'
const OTHER_ID = '00000000-0000-0000-0000-00000000000b'

const partition = (number: number, leader: number, leaderEpoch: number): PartitionMetadata => ({
  partition: number,
  errorCode: 0,
  leader,
  leaderEpoch,
  replicas: [leader],
  isr: [leader],
})

const topic = (
  partitions: PartitionMetadata[],
  topicId: string | undefined = ID,
): TopicMetadata => ({
  name: 't',
  topicId,
  isInternal: false,
  errorCode: 0,
  partitions,
})

const KNOWN = topic([partition(0, 1, 5), partition(1, 2, 5)])

describe('the metadata of a topic', () => {
  it.each([ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, ErrorCode.LEADER_NOT_AVAILABLE])(
    'keeps its partitions after error %i',
    (errorCode) => {
      const told = { ...topic([], undefined), errorCode }
      expect(updatedMetadata(KNOWN, told)).toEqual({ ...KNOWN, errorCode })
    },
  )

  it('keeps its partitions when a response leaves the topic out', () => {
    const errorCode = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    expect(updatedMetadata(KNOWN, undefined)).toEqual({ ...KNOWN, errorCode })
    expect(updatedMetadata(undefined, undefined)).toBeUndefined()
  })

  it('keeps a partition that a broker does not know yet', () => {
    const told = topic([partition(0, 1, 5)])
    expect(updatedMetadata(KNOWN, told)).toEqual(KNOWN)
  })

  it('keeps a leader of a later epoch, and accepts one of the same epoch or without one', () => {
    const told = topic([partition(0, 3, 4), partition(1, 3, 6)])
    const expected = topic([partition(0, 1, 5), partition(1, 3, 6)])
    expect(updatedMetadata(KNOWN, told)).toEqual(expected)
    const same = topic([partition(0, 3, 5), partition(1, 3, -1)])
    expect(updatedMetadata(KNOWN, same)).toEqual(same)
  })

  it('is replaced by that of a new topic of the same name, also when brokers return no id', () => {
    const recreated = topic([partition(0, 3, 0)], OTHER_ID)
    expect(updatedMetadata(KNOWN, recreated)).toEqual(recreated)
    const nameless = topic([partition(0, 3, 0)])
    const withoutId = { ...nameless, topicId: undefined }
    expect(updatedMetadata(KNOWN, withoutId)).toEqual(withoutId)
  })
})
