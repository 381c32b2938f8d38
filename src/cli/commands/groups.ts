import type { Command } from 'commander'
import type { GroupDescription, GroupType, ListedGroup } from '../../index.ts'
import type { Column } from '../../terminal/table.ts'
import { append, declare, list, option } from '../command.ts'
import { committedOffsets } from '../committed-offsets.ts'
import { count } from '../text.ts'
import { matcherOf } from '../names.ts'
import { PARTITION_RESULTS } from '../partition-results.ts'
import type { Session } from '../session.ts'

interface GroupsOptions {
  readonly state?: readonly string[]
  readonly type?: readonly GroupType[]
}

/** Adds `samsa groups` and `samsa group …`. */
export function groupCommands(samsa: Command): void {
  declare<GroupsOptions>(samsa, {
    name: 'groups [pattern...]',
    summary: 'list the groups of all kinds',
    arguments: { pattern: 'names, with * for any characters; default: all groups' },
    options: [
      option(
        '--state <list>',
        'only groups in these states, such as Stable or Empty (Kafka 2.6)',
      ).argParser(list),
      option(
        '--type <list>',
        'only groups of these types: classic, consumer, share, streams',
      ).argParser(list),
    ],
    examples: ['samsa groups', "samsa groups 'billing-*' --state Empty", 'samsa groups --json'],
    run: listGroups,
  })
  const group = samsa.command('group').description('describe and delete groups, remove members')
  declare(group, {
    name: 'describe <group...>',
    summary: 'show the members of groups and their partitions',
    notes: 'samsa lag GROUP shows how far a group is behind.',
    examples: ['samsa group describe billing', 'samsa group describe billing --json'],
    run: describeGroups,
  })
  declare(group, {
    name: 'delete <group...>',
    summary: 'delete groups without members, with their committed offsets',
    has: ['connection', 'output', 'changes'],
    examples: ['samsa group delete billing --yes'],
    run: deleteGroups,
  })
  declare<{ readonly instance?: readonly string[] }>(group, {
    name: 'remove-members <group>',
    summary: 'remove the members of a classic group; members that are still running join again',
    options: [
      option('--instance <id>', 'remove only this static member; can be repeated').argParser(
        append,
      ),
    ],
    has: ['connection', 'output', 'changes'],
    examples: ['samsa group remove-members billing --instance worker-1 --yes'],
    run: removeMembers,
  })
  declare(group, {
    name: 'clone <source> <target>',
    summary: 'copy the committed offsets of a group to another',
    has: ['connection', 'output', 'changes'],
    examples: ['samsa group clone billing billing-test --yes'],
    run: cloneGroup,
  })
}

async function listGroups(
  session: Session,
  patterns: readonly string[],
  { state, type }: GroupsOptions,
): Promise<void> {
  const admin = await session.admin()
  const isWanted = matcherOf(patterns)
  const listed = await admin.listGroups({
    ...session.call,
    ...(state === undefined ? {} : { states: state }),
    ...(type === undefined ? {} : { types: type }),
  })
  const groups = listed.groups.filter(({ group }) => isWanted(group))
  const columns: readonly Column<ListedGroup>[] = [
    { title: 'GROUP', of: ({ group }) => group },
    { title: 'TYPE', of: (one) => one.type ?? '' },
    { title: 'STATE', of: (one) => one.state ?? '' },
    { title: 'PROTOCOL', of: ({ protocolType }) => protocolType },
    { title: 'COORDINATOR', align: 'right', of: ({ coordinator }) => String(coordinator) },
  ]
  session.print({ groups, incomplete: listed.incomplete }, columns, groups, 'no groups found')
  session.checkComplete(listed.incomplete)
}

async function describeGroups(session: Session, names: readonly string[]): Promise<void> {
  const admin = await session.admin()
  const groups = await admin.describeGroups(names, session.call)
  const rows = groups.flatMap((group) =>
    group.members.map((member) => ({ group: group.group, state: group.state, ...member })),
  )
  for (const group of groups) {
    if (group.members.length > 0 || group.error !== undefined) continue
    session.say(`group ${group.group} is ${group.state} and has no members`)
  }
  session.print(
    groups,
    [
      { title: 'GROUP', of: ({ group }) => group },
      { title: 'STATE', of: ({ state }) => state },
      { title: 'MEMBER', of: ({ memberId, instanceId }) => instanceId ?? memberId },
      { title: 'CLIENT', of: ({ clientId }) => clientId },
      { title: 'HOST', of: ({ clientHost }) => clientHost.replace(/^\//, '') },
      { title: 'PARTITIONS', of: ({ assignment }) => assignedText(assignment) },
    ],
    rows,
  )
  session.checkItems(groups)
}

/** `orders:0-3,7 payments:1`. */
function assignedText(assignment: GroupDescription['members'][number]['assignment']): string {
  const byTopic = new Map<string, number[]>()
  for (const { topic, partition } of assignment) {
    byTopic.set(topic, [...(byTopic.get(topic) ?? []), partition])
  }
  return [...byTopic].map(([topic, partitions]) => `${topic}:${ranges(partitions)}`).join(' ')
}

function ranges(numbers: readonly number[]): string {
  const found: [number, number][] = []
  for (const number of [...numbers].sort((a, b) => a - b)) {
    const last = found.at(-1)
    if (last !== undefined && last[1] === number - 1) last[1] = number
    else found.push([number, number])
  }
  return found.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(',')
}

async function deleteGroups(session: Session, names: readonly string[]): Promise<void> {
  const admin = await session.admin()
  const plan = names.map((name) => `delete group ${name} with its committed offsets`)
  const question = `Delete ${count(names.length, 'group')}?`
  if (!(await session.confirm(plan.join('\n'), question))) return
  const results = await admin.deleteGroups(names, { ...session.call, settle: true })
  session.print(
    results,
    [
      { title: 'GROUP', of: ({ group }) => group },
      { title: 'RESULT', of: ({ error }) => error?.code ?? 'deleted' },
    ],
    results,
  )
  session.checkItems(results)
}

async function removeMembers(
  session: Session,
  [group]: readonly string[],
  { instance }: { readonly instance?: readonly string[] },
): Promise<void> {
  const admin = await session.admin()
  const target = instance === undefined ? 'all members' : `the members ${instance.join(', ')}`
  if (!(await session.confirm(`remove ${target} of group ${group}`, 'Continue?'))) return
  const results = await admin.removeMembers(group!, {
    ...session.call,
    settle: true,
    reason: 'removed with the command samsa',
    ...(instance === undefined ? {} : { instanceIds: instance }),
  })
  session.print(
    results,
    [
      { title: 'MEMBER', of: ({ instanceId, memberId }) => instanceId ?? memberId ?? '' },
      { title: 'RESULT', of: ({ error }) => error?.code ?? 'removed' },
    ],
    results,
  )
  session.checkItems(results)
}

async function cloneGroup(session: Session, [source, target]: readonly string[]): Promise<void> {
  const admin = await session.admin()
  const committed = await committedOffsets(admin, session, source!)
  const offsets = committed.map(({ topic, partition, offset, leaderEpoch, metadata }) => ({
    topic,
    partition,
    offset,
    ...(leaderEpoch === undefined ? {} : { leaderEpoch }),
    ...(metadata === undefined ? {} : { metadata }),
  }))
  const plan = offsets.map(({ topic, partition, offset }) => `${topic}-${partition} → ${offset}`)
  if (plan.length === 0) {
    session.say(`group ${source} has no committed offsets`)
    return
  }
  const question = `Commit these offsets for group ${target}?`
  if (!(await session.confirm(plan.join('\n'), question))) return
  const results = await admin.alterGroupOffsets(target!, offsets, {
    ...session.call,
    settle: true,
  })
  session.print(results, PARTITION_RESULTS, results)
  session.checkItems(results)
}
