import { describe, expect, it } from '@jest/globals'
import {
  byTopicAndPartition,
  type Assignment,
  type Assignor,
} from '../../src/balanced/assignors/assignor.ts'
import { cooperativeStickyAssignor, stickyAssignor } from '../../src/balanced/assignors/sticky.ts'
import { BUILT_IN } from '../../src/balanced/classic/settings.ts'
import type { TopicPartition } from '../../src/consumer/topic-partition.ts'
import { JAVA_ASSIGNOR_NAMES } from '../support/balanced/java-assignors.ts'
import { clientJars, missingForKafkasOwn } from './support/jars.ts'
import { RandomGroup, type Group } from './support/random-group.ts'
import { Random } from './support/random.ts'
import { runJava } from './support/run-java.ts'

const PROGRAM = 'test/wire/java/Assign.java'
const GROUPS = 400
const STEPS = 5
const SEED = Number(process.env['SAMSA_SEED'] ?? Date.now() % 1_000_000_000)

const missing = missingForKafkasOwn("the assignors against Java's", { java: true })
const describeWithJava = missing === undefined ? describe : describe.skip

const orNothing = (text: string | undefined) => (text === undefined || text === '' ? '-' : text)

function textOf(partitions: readonly TopicPartition[]): string {
  return orNothing(partitions.map(({ topic, partition }) => `${topic}:${partition}`).join(','))
}

/** A group, as Assign.java reads it. */
function linesOf({ members, topics }: Group, assignor: Pick<Assignor, 'name'>): string[] {
  return [
    ...[...topics].map(([topic, partitions]) => {
      const racks = partitions.map((one) => orNothing([...one.racks].join(',')))
      return `topic ${topic} ${racks.join(';')}`
    }),
    ...members.map((member) =>
      [
        'member',
        member.memberId,
        orNothing(member.groupInstanceId),
        orNothing(member.rack),
        member.generation,
        orNothing(member.topics.join(',')),
        textOf(member.ownedPartitions),
        orNothing(member.userData?.toString('hex')),
      ].join(' '),
    ),
    `assign ${assignor.name}`,
  ]
}

function shown(assignment: Assignment): string {
  return [...assignment]
    .map(([id, partitions]) => `${id} ${textOf([...partitions].sort(byTopicAndPartition))}`)
    .sort()
    .join('\n')
}

/** How uneven it is: what each member has more or less than each other, in sum. */
function imbalance(assignment: string): number {
  const loads = assignment.split('\n').map((line) => line.split(',').length)
  return loads.reduce((sum, a) => sum + loads.reduce((rest, b) => rest + Math.abs(a - b), 0), 0)
}

/** What Java's assignor makes of each group. */
async function javaAssignments(lines: readonly string[]): Promise<string[]> {
  const output = await runJava(PROGRAM, await clientJars('4.4.0'), Buffer.from(lines.join('\n')))
  return output
    .toString()
    .split('end\n')
    .slice(0, -1)
    .map((text) =>
      text
        .trimEnd()
        .split('\n')
        .map((line) => {
          const [id, list] = line.split(' ')
          const parts = list === '-' ? [] : list!.split(',')
          const partitions = parts.map((part) => ({
            topic: part.split(':')[0]!,
            partition: Number(part.split(':')[1]),
          }))
          return `${id} ${textOf(partitions.sort(byTopicAndPartition))}`
        })
        .sort()
        .join('\n'),
    )
}

describeWithJava('the assignors compared with those of Java', () => {
  it.each(JAVA_ASSIGNOR_NAMES.map((name) => [name, BUILT_IN[name]] as const))(
    `%s returns the same result for random groups (seed ${SEED})`,
    async (_, assignor) => {
      const random = new Random(SEED)
      const lines: string[] = []
      const ours: { readonly group: Group; readonly isExact: boolean; readonly result: string }[] =
        []
      for (let group = 0; group < GROUPS; group++) {
        const life = new RandomGroup(random)
        for (let step = 0; step < STEPS; step++) {
          const assignment = assignor.assign(life.now.members, life.now.topics)
          lines.push(...linesOf(life.now, assignor))
          const isExact = life.areWishesEqual || !assignor.name.endsWith('sticky')
          ours.push({ group: life.now, isExact, result: shown(assignment) })
          life.continueWith(assignment)
        }
      }
      const java = await javaAssignments(lines)
      expect(java).toHaveLength(GROUPS * STEPS)
      const differing = ours.flatMap(({ group, isExact, result }, index) => {
        const theirs = java[index]!
        return result === theirs
          ? []
          : [{ group: linesOf(group, assignor), isExact, result, theirs }]
      })
      expect(differing.filter(({ isExact }) => isExact).slice(0, 1)).toEqual([])
      // Where members want different topics, Java's sticky assignors choose among equally good moves by the
      // order of a hash set: then as good a result counts, and mostly it is the same.
      expect(differing.length).toBeLessThan(ours.length / 100)
      if (assignor === stickyAssignor) {
        for (const { result, theirs } of differing) {
          expect(imbalance(result)).toBeLessThanOrEqual(imbalance(theirs))
        }
      }
    },
  )

  it('send the same user data to other members', async () => {
    const partitions = [0, 1, 5].map((partition) => ({ topic: 't', partition }))
    const last = { partitions, generation: 7 }
    const lines = [stickyAssignor, cooperativeStickyAssignor].map(
      ({ name }) => `userData ${name} 7 ${textOf(partitions)}`,
    )
    const output = await runJava(PROGRAM, await clientJars('4.4.0'), Buffer.from(lines.join('\n')))
    expect(output.toString().trimEnd().split('\n')).toEqual([
      stickyAssignor.userData!(last)!.toString('hex'),
      cooperativeStickyAssignor.userData!(last)!.toString('hex'),
    ])
  })
})
