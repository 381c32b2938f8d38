/**
 * Each type of group has its own API. The API of classic groups reports that groups of other types
 * do not exist (Kafka 4.0). So the groups are listed first, because the list contains their types.
 */
import type { Deadline } from '../async/deadline.ts'
import { appendTo } from '../cluster/append-to.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { BrokerFailure } from '../cluster/fan-out.ts'
import { KafkaError } from '../errors.ts'
import { describeClassic } from './describe-classic-groups.ts'
import { describeConsumer, describeShare } from './describe-newer-groups.ts'
import { describeStreams } from './describe-streams-groups.ts'
import type { DescribedGroup, DescribeGroups, DescribeSettings } from './described-group.ts'
import type { GroupDescription, GroupType } from './group-description.ts'
import { lookUpGroups, type GroupList, type ListedGroup } from './list-groups.ts'

const DESCRIBE: Readonly<Record<GroupType, DescribeGroups>> = {
  classic: describeClassic,
  consumer: describeConsumer,
  share: describeShare,
  streams: describeStreams,
}

/**
 * How many groups one request names. This limits the size of a response, which a broker builds in
 * memory.
 */
const GROUPS_IN_A_REQUEST = 1_000

export async function describeGroupsOfAnyType(
  cluster: Cluster,
  groups: readonly string[],
  deadline: Deadline,
  {
    includeAuthorizedOperations = false,
    includeTopologyDescription = false,
  }: Partial<DescribeSettings> = {},
  known?: readonly ListedGroup[],
): Promise<readonly GroupDescription[]> {
  if (groups.length === 0) return []
  const settings = { includeAuthorizedOperations, includeTopologyDescription }
  const found = new Map<string, DescribedGroup>()
  const asked = new Map<string, Set<GroupType>>(groups.map((group) => [group, new Set()]))
  let list: GroupList =
    known === undefined ? await lookUpGroups(cluster, deadline) : { groups: known, incomplete: [] }
  let pending: readonly string[] = groups
  while (pending.length > 0) {
    const byType = groupByType(pending, list.groups)
    for (const outcome of await describeByType(cluster, byType, deadline, settings)) {
      found.set(outcome.item, outcome)
    }
    for (const [type, names] of byType) for (const name of names) asked.get(name)!.add(type)
    // A group that was listed but is not found has changed its type since, or no longer exists. A
    // group that was not listed may be of another type if a broker did not list its groups.
    const { incomplete } = list
    const listed = new Set(list.groups.map(({ group }) => group))
    const missing = pending.filter(
      (group) =>
        found.get(group)?.error?.code === 'GROUP_ID_NOT_FOUND' &&
        (listed.has(group) || incomplete.length > 0),
    )
    if (missing.length === 0) break
    list = await lookUpGroups(cluster, deadline)
    const types = typesOf(list.groups)
    pending = missing.filter((group) => {
      const type = types.get(group)
      return type !== undefined && !asked.get(group)!.has(type)
    })
    for (const group of missing) {
      if (types.has(group) || list.incomplete.length === 0) continue
      found.set(group, { item: group, error: unknownKind(group, list.incomplete) })
    }
  }
  return groups.map((group) => {
    const { result, error } = found.get(group)!
    return error === undefined ? result : { group, state: 'Unknown', members: [], error }
  })
}

async function describeByType(
  cluster: Cluster,
  byType: ReadonlyMap<GroupType, readonly string[]>,
  deadline: Deadline,
  settings: DescribeSettings,
): Promise<readonly DescribedGroup[]> {
  const outcomes = await Promise.all(
    [...byType].map(([type, names]) =>
      cluster.fanOut.run<string, GroupDescription>({
        items: names,
        to: (key) => ({ coordinator: 'group', key }),
        what: 'describing groups',
        deadline,
        maxItems: GROUPS_IN_A_REQUEST,
        ask: (part, recipient) => DESCRIBE[type](part, recipient, settings),
      }),
    ),
  )
  return outcomes.flat()
}

/**
 * Groups that are not listed, or whose broker does not report types, are treated as classic ones.
 */
function groupByType(
  groups: readonly string[],
  listed: readonly ListedGroup[],
): ReadonlyMap<GroupType, readonly string[]> {
  const types = typesOf(listed)
  const byType = new Map<GroupType, string[]>()
  for (const group of groups) appendTo(byType, types.get(group) ?? 'classic', group)
  return byType
}

function typesOf(listed: readonly ListedGroup[]): ReadonlyMap<string, GroupType> {
  return new Map(listed.map(({ group, type }) => [group, type ?? 'classic']))
}

/** The error for a group that no broker listed. It may exist: a broker that did not list its groups may have it. */
function unknownKind(group: string, incomplete: readonly BrokerFailure[]): KafkaError {
  const { error } = incomplete[0]!
  const brokers = incomplete.map(({ broker }) => broker).join(', ')
  const detail = `the type of group '${group}' is not known, because brokers that may have it (${brokers}) did not list their groups: ${error.message}`
  return new KafkaError(error.code, detail, error.retriable, { cause: error })
}
