import type { OffsetPosition } from '../../../../src/index.ts'
import { at, nameOf, byKey, all, only } from './forms.ts'
import type { Operation } from './operation.ts'

const listOffsets = (position: OffsetPosition & string, since: string): Operation => ({
  java: 'listOffsets',
  name: `listOffsets (${position})`,
  since,
  samsa: async (admin, own) => {
    const found = await all(
      admin.listOffsets(
        [0, 1, 2].map((partition) => at(own, partition)),
        position,
      ),
    )
    return byKey(
      found.map(({ offset = -1, timestamp = -1, leaderEpoch = -1, ...one }) => [
        nameOf(one),
        // The records of the two topics were not written at the same time.
        [offset, position === 'maxTimestamp' ? 0 : timestamp, leaderEpoch],
      ]),
    )
  },
  words: (own) => [own, position],
})

/** The offsets of partitions, and their records. */
export const RECORD_OPERATIONS: readonly Operation[] = [
  listOffsets('earliest', '0.8.2'),
  listOffsets('latest', '0.8.2'),
  listOffsets('maxTimestamp', '3.0'),
  listOffsets('earliestLocal', '3.4'),
  listOffsets('latestTiered', '3.9'),
  listOffsets('earliestPendingUpload', '4.2'),
  {
    java: 'deleteRecords',
    since: '0.11',
    samsa: async (admin, own) =>
      (await only(admin.deleteRecords([{ ...at(own, 1), beforeOffset: 2 }]))).lowWatermark,
  },
]
