import { describe, expect, it } from '@jest/globals'
import { committedOffsets } from '../../../src/consumer/offsets/offset-messages.ts'

describe('committed offsets', () => {
  it('that no log can have count as none, with a warning that names them', () => {
    const warnings: string[] = []
    const ignore = () => undefined
    const logger = {
      ...{ debug: ignore, info: ignore, error: ignore },
      warn: (text: string) => void warnings.push(text),
    }
    const partitions = [5n, -1n, -7n, 2n ** 62n].map((committedOffset, partitionIndex) => ({
      partitionIndex,
      committedOffset,
      committedLeaderEpoch: -1,
      metadata: '',
      errorCode: 0,
    }))
    const topics = [{ name: 't', topicId: '', partitions }]
    const found = committedOffsets([], topics, 'fetching offsets', logger)
    expect(found.map(({ partition, offset }) => [partition, offset])).toEqual([[0, 5]])
    expect(warnings).toEqual([
      'fetching offsets: t-2 has -7, which is treated as no offset',
      `fetching offsets: t-3 has ${2n ** 62n}, which is treated as no offset`,
    ])
  })
})
