import type { Admin, GroupDescription } from '../../../../src/index.ts'
import { at, byKey, nameOf, only, sorted } from './forms.ts'

export function membersOf({ members }: GroupDescription) {
  return byKey(
    members.map(({ memberId, clientId, clientHost, instanceId = 'none', assignment }) => [
      memberId,
      [clientId, clientHost, instanceId, sorted(assignment.map(nameOf))],
    ]),
  )
}

export async function offsetsOf(admin: Admin, group: string) {
  const { offsets } = await only(admin.listGroupOffsets([group]))
  return byKey(
    offsets.map(({ offset, metadata = '', leaderEpoch = -1, ...one }) => [
      nameOf(one),
      [offset, metadata, leaderEpoch],
    ]),
  )
}

/** The offsets that both clients commit. */
export const committed = (topic: string) => [
  { ...at(topic, 0), offset: 2, metadata: 'noted' },
  { ...at(topic, 2), offset: 1 },
]
