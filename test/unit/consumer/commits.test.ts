import { describe, expect, it } from '@jest/globals'
import type { ConsumerOptions } from '../../../src/consumer/options.ts'
import { takeTexts } from '../../support/take.ts'
import { until } from '../../support/until.ts'
import { Bed } from './support/embedded.ts'

const IDLE = { topic: 'a', partition: 0 }
const BUSY = { topic: 'a', partition: 1 }

interface CommitBody {
  readonly topics: readonly {
    readonly topicId: string
    readonly partitions: readonly { readonly partitionIndex: number }[]
  }[]
}

const commitsOf = (bed: Bed) =>
  bed.kafka.requests.all({ api: 'OffsetCommit' }).map(({ body }) => body as unknown as CommitBody)

const countOf = (bed: Bed, partition: number) =>
  commitsOf(bed).filter(({ topics }) =>
    topics.some(({ partitions }) => partitions.some((one) => one.partitionIndex === partition)),
  ).length

async function reading(bed: Bed, options: ConsumerOptions) {
  await bed.write('a', 0, 1)
  const consumer = bed.consumer({ consumerGroup: 'readers', ...options })
  await consumer.assign([IDLE, BUSY])
  await takeTexts(consumer.reader, 1)
  return consumer
}

describe('offsets of an idle partition, which brokers delete after a time', () => {
  it('are committed again by commitOffsets()', async () => {
    await using bed = await Bed.start({ topics: { a: { partitions: 2 } } })
    const consumer = await reading(bed, {})
    for (let i = 0; i < 3; i++) {
      await bed.write('a', 1, 1)
      await takeTexts(consumer.reader, 1)
      await consumer.commits.commit()
    }
    expect(countOf(bed, 0)).toBe(3)
  })

  it('are committed again at the interval', async () => {
    await using bed = await Bed.start({ topics: { a: { partitions: 2 } } })
    await reading(bed, { autoCommitEnable: true, autoCommitIntervalMs: 5 })
    await until(() => countOf(bed, 0) >= 3)
    expect(countOf(bed, 1)).toBeGreaterThanOrEqual(3)
  })

  it('are not committed again in ZooKeeper, which keeps them permanently', async () => {
    await using bed = await Bed.start({ version: '3.9', topics: { a: { partitions: 2 } } })
    const consumer = await reading(bed, { offsetsStorage: 'zookeeper' })
    for (let i = 0; i < 3; i++) {
      await bed.write('a', 1, 1)
      await takeTexts(consumer.reader, 1)
      await consumer.commits.commit()
    }
    expect([countOf(bed, 0), countOf(bed, 1)]).toEqual([1, 3])
  })
})
