import { isAtLeast } from '../../../support/real-brokers.ts'
import { at, byKey, sorted, done, only } from './forms.ts'
import { committed, membersOf, offsetsOf } from './group-forms.ts'
import type { Operation } from './operation.ts'

const describeLive: Omit<Operation, 'java' | 'samsa'> = {
  since: '0.9',
  words: () => ['samsa-live'],
}

/** A group of this kind that does not exist. */
const describeOther = (java: string, type: 'share' | 'streams'): Operation => ({
  java,
  name: `${java} (none)`,
  since: '4.1',
  older: 'GROUP_ID_NOT_FOUND',
  samsa: async (admin, own) => only(admin.describeGroups([`${own}-${type}-none`])),
  words: (own) => [`${own}-${type}-none`],
})

/** Classic and consumer groups. */
export const GROUP_OPERATIONS: readonly Operation[] = [
  {
    java: 'describeConsumerGroups',
    ...describeLive,
    samsa: async (admin) => {
      const found = await only(admin.describeGroups(['samsa-live']))
      return [found.state, found.assignor, membersOf(found)]
    },
  },
  {
    java: 'describeClassicGroups',
    ...describeLive,
    samsa: async (admin, _, { version }) => {
      const includeAuthorizedOperations = isAtLeast(version, '2.3')
      const found = await only(
        admin.describeGroups(['samsa-live'], { includeAuthorizedOperations }),
      )
      const { state, protocolType, assignor, authorizedOperations } = found
      return [state, protocolType, assignor, membersOf(found), sorted(authorizedOperations)]
    },
  },
  describeOther('describeShareGroups', 'share'),
  describeOther('describeStreamsGroups', 'streams'),
  {
    java: 'alterConsumerGroupOffsets',
    since: '0.9',
    samsa: (admin, own) => done(admin.alterGroupOffsets(own, committed(own))),
  },
  {
    java: 'alterConsumerGroupOffsets',
    name: 'alterConsumerGroupOffsets (live members)',
    since: '0.9',
    samsa: (admin, own) => done(admin.alterGroupOffsets(`${own}-live`, committed(own))),
    words: (own) => [`${own}-live`, own],
  },
  {
    java: 'listConsumerGroupOffsets',
    since: '0.10.2',
    samsa: (admin, own) => offsetsOf(admin, own),
  },
  {
    java: 'listGroups',
    since: '0.9',
    samsa: async (admin) =>
      byKey(
        (await admin.listGroups()).groups.map(
          ({ group, protocolType, type = 'none', state = 'none' }) => [
            group,
            [protocolType, type, state],
          ],
        ),
      ),
  },
  {
    java: 'listConsumerGroups',
    since: '0.9',
    samsa: async (admin) =>
      (await admin.listGroups({ protocolTypes: ['consumer', ''] })).groups.map(
        ({ group }) => group,
      ),
  },
  {
    java: 'removeMembersFromConsumerGroup',
    name: 'removeMembersFromConsumerGroup (none)',
    since: '2.4',
    samsa: (admin, own) => done(admin.removeMembers(`${own}-live`, { instanceIds: ['nobody'] })),
    words: (own) => [`${own}-live`],
  },
  {
    java: 'deleteConsumerGroupOffsets',
    since: '2.4',
    samsa: (admin, own) => done(admin.deleteGroupOffsets(own, [at(own, 0)])),
  },
  {
    java: 'deleteConsumerGroups',
    name: 'deleteConsumerGroups (live members)',
    since: '1.1',
    samsa: (admin, own) => done(admin.deleteGroups([`${own}-live`])),
    words: (own) => [`${own}-live`],
  },
  {
    java: 'deleteConsumerGroups',
    since: '1.1',
    samsa: (admin, own) => done(admin.deleteGroups([own])),
  },
]
