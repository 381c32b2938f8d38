import { at, nameOf, byKey, sorted, done, only } from './forms.ts'
import { committed, membersOf, offsetsOf } from './group-forms.ts'
import type { Operation } from './operation.ts'

/** Streams and share groups. */
export const NEWER_GROUP_OPERATIONS: readonly Operation[] = [
  {
    java: 'alterStreamsGroupOffsets',
    since: '0.9',
    samsa: (admin, own) => done(admin.alterGroupOffsets(own, committed(own))),
  },
  {
    java: 'listStreamsGroupOffsets',
    since: '0.10.2',
    samsa: (admin, own) => offsetsOf(admin, own),
  },
  {
    java: 'deleteStreamsGroupOffsets',
    since: '2.4',
    samsa: (admin, own) => done(admin.deleteGroupOffsets(own, [at(own, 0)])),
  },
  {
    java: 'deleteStreamsGroups',
    since: '1.1',
    samsa: (admin, own) => done(admin.deleteGroups([own])),
  },
  {
    java: 'alterShareGroupOffsets',
    since: '4.1',
    samsa: (admin, own) =>
      done(
        admin.alterShareGroupOffsets(own, [
          { ...at(own, 0), startOffset: 1 },
          { ...at(own, 2), startOffset: 2 },
        ]),
      ),
  },
  {
    java: 'listShareGroupOffsets',
    since: '4.1',
    samsa: async (admin, own) => {
      const { offsets } = await only(admin.listShareGroupOffsets([own]))
      return byKey(
        offsets.map(({ startOffset, leaderEpoch = -1, lag = -1, ...one }) => [
          nameOf(one),
          [startOffset, leaderEpoch, lag],
        ]),
      )
    },
  },
  {
    java: 'describeShareGroups',
    since: '4.1',
    older: 'GROUP_ID_NOT_FOUND',
    samsa: async (admin, own) => {
      const found = await only(admin.describeGroups([own], { includeAuthorizedOperations: true }))
      const { state, groupEpoch, assignmentEpoch, authorizedOperations } = found
      return [state, groupEpoch, assignmentEpoch, membersOf(found), sorted(authorizedOperations)]
    },
  },
  {
    java: 'deleteShareGroupOffsets',
    since: '4.1',
    samsa: (admin, own) => done(admin.deleteShareGroupOffsets(own, [own])),
  },
  {
    java: 'deleteShareGroups',
    since: '4.1',
    older: 'GROUP_ID_NOT_FOUND',
    samsa: (admin, own) => done(admin.deleteGroups([own])),
  },
]
