import {
  byMemberId,
  byText,
  nothingFor,
  type AssignableTopics,
  type Assignment,
  type ImmediateAssignor,
  type GroupMember,
} from './assignor.ts'

/**
 * Deals all partitions of all topics to the members in turn, skipping members that are not subscribed. The result is
 * even if all want the same topics; otherwise a member may get far more than others.
 */
export const roundRobinAssignor: ImmediateAssignor = {
  name: 'roundrobin',
  protocols: ['eager'],
  assign(members: readonly GroupMember[], topics: AssignableTopics): Assignment {
    // Static members come first, so that a restart, which gives them a new member id, changes nothing.
    const sorted = [...members].sort(staticFirst)
    const assignment = nothingFor(sorted)
    let next = 0
    for (const topic of [...topics.keys()].sort(byText)) {
      if (!members.some((member) => member.topics.includes(topic))) continue
      for (const { partition } of topics.get(topic)!) {
        while (!sorted[next % sorted.length]!.topics.includes(topic)) next++
        const { memberId } = sorted[next++ % sorted.length]!
        assignment.get(memberId)!.push({ topic, partition })
      }
    }
    return assignment
  },
}

/** Static members by their instance id, then the others by their member id. */
export function staticFirst(a: GroupMember, b: GroupMember): number {
  if (a.groupInstanceId !== undefined && b.groupInstanceId !== undefined) {
    return byText(a.groupInstanceId, b.groupInstanceId)
  }
  if (a.groupInstanceId !== undefined) return -1
  if (b.groupInstanceId !== undefined) return 1
  return byMemberId(a, b)
}
