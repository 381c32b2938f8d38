import { describe, expect, it } from '@jest/globals'
import type { GroupMember } from '../../../src/balanced/assignors/assignor.ts'
import { rangeAssignor } from '../../../src/balanced/assignors/range.ts'
import {
  decodeAssignment,
  encodeAssignment,
} from '../../../src/balanced/classic/consumer-protocol.ts'
import { computeAssignment } from '../../../src/balanced/classic/compute-assignment.ts'
import { namesOf } from '../../../src/balanced/partitions.ts'
import { RebalanceLog } from '../../../src/balanced/rebalance-log.ts'
import { silentLogger } from '../../../src/observe/logger.ts'

const MILLION = 1_000_000

function member(memberId: string): GroupMember {
  const nothing = { groupInstanceId: undefined, rack: undefined, userData: undefined }
  return { memberId, topics: ['t'], ownedPartitions: [], generation: -1, ...nothing }
}

describe('an assignment of a million partitions', () => {
  const partitions = Array.from({ length: MILLION }, (_, partition) => ({
    partition,
    racks: new Set<string>(),
  }))

  it('is made by the leader, validated, and sent to its member', async () => {
    const assignment = await computeAssignment({
      groupId: 'g',
      assignor: rangeAssignor,
      protocol: 'eager',
      members: [member('a'), member('b')],
      topics: new Map([['t', partitions]]),
      logger: silentLogger,
    })
    const own = decodeAssignment(encodeAssignment(assignment.get('b')!))
    expect(own).toHaveLength(MILLION / 2)
    expect(own[0]).toEqual({ topic: 't', partition: MILLION / 2 })
  })

  it('is reported in one event, and in one log line that names the first of them', () => {
    const all = partitions.map(({ partition }) => ({ topic: 't', partition }))
    const log = new RebalanceLog('app', 'g', { memberId: 'a' } as never)
    log.assigned(all)
    log.revoked(all)
    log.lost(all)
    expect(log.phase('settled', all)).toMatchObject({
      clientId: 'app',
      group: 'g',
      memberId: 'a',
    })
    expect(namesOf(all)).toMatch(/^t-0, t-1, .* and 999900 more$/)
  })
})
