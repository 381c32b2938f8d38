/** What holds for the result of every built-in assignor, in random lives of groups; the leader has no warning, either. */
import { describe, expect, it } from '@jest/globals'
import type { Assignment, ImmediateAssignor } from '../../../src/balanced/assignors/assignor.ts'
import { computeAssignment } from '../../../src/balanced/classic/compute-assignment.ts'
import { BUILT_IN } from '../../../src/balanced/classic/settings.ts'
import { nameOf } from '../../../src/consumer/topic-partition.ts'
import { RandomGroup, type Group } from '../../wire/support/random-group.ts'
import { Random } from '../../wire/support/random.ts'
import { keepWarnings } from '../../support/warnings.ts'

const GROUPS = 80
const STEPS = 5
const SEED = Number(process.env['SAMSA_SEED'] ?? Date.now() % 1_000_000_000)

function shown(assignment: Assignment): string[] {
  return [...assignment]
    .map(([id, partitions]) => `${id}: ${partitions.map(nameOf).sort().join(' ')}`)
    .sort()
}

function mixed<One>(random: Random, all: readonly One[]): One[] {
  const rest = [...all]
  return all.map(() => rest.splice(random.below(rest.length), 1)[0]!)
}

/** The partitions of topics to which a member subscribes, once each; a cooperative assignor leaves out what others hold. */
function mustBeGiven(assignor: ImmediateAssignor, { members, topics }: Group, given: Set<string>) {
  const isCooperative = assignor.protocols.includes('cooperative')
  const held = new Set(members.flatMap(({ ownedPartitions }) => ownedPartitions.map(nameOf)))
  const wanted = new Set(members.flatMap((one) => one.topics))
  return [...topics]
    .filter(([topic]) => wanted.has(topic))
    .flatMap(([topic, all]) => all.map(({ partition }) => nameOf({ topic, partition })))
    .filter((name) => !(isCooperative && held.has(name) && !given.has(name)))
    .sort()
}

/** As the leader gets them: without topics that do not exist, or to which no member subscribes. */
function asTheLeaderSees({ members, topics }: Group): Group {
  const wanted = new Set(members.flatMap((one) => one.topics))
  return {
    members: members.map((one) => ({
      ...one,
      topics: one.topics.filter((topic) => topics.has(topic)),
    })),
    topics: new Map([...topics].filter(([topic]) => wanted.has(topic))),
  }
}

describe('a built-in assignor', () => {
  it.each(Object.values(BUILT_IN).map((assignor) => [assignor.name, assignor] as const))(
    `assigns each partition once, to a subscriber, the same for any order of members: %s (seed ${SEED})`,
    async (_, assignor) => {
      const random = new Random(SEED)
      const { warnings, logger } = keepWarnings()
      const [protocol] = assignor.protocols
      for (let group = 0; group < GROUPS; group++) {
        const life = new RandomGroup(random)
        for (let step = 0; step < STEPS; step++) {
          const { members, topics } = asTheLeaderSees(life.now)
          const request = { groupId: 'g', assignor, protocol: protocol!, members, topics, logger }
          const assignment = await computeAssignment(request)
          const given = [...assignment.values()].flat().map(nameOf)
          expect(given.sort()).toEqual(mustBeGiven(assignor, life.now, new Set(given)))
          const topicsOf = new Map(members.map((one) => [one.memberId, one.topics]))
          const unwanted = [...assignment].flatMap(([id, partitions]) =>
            partitions.filter(({ topic }) => !topicsOf.get(id)!.includes(topic)),
          )
          expect(unwanted).toEqual([])
          const again = assignor.assign(mixed(random, members), topics)
          expect(shown(again)).toEqual(shown(assignment))
          life.continueWith(assignment)
        }
      }
      expect(warnings).toEqual([])
    },
  )
})
