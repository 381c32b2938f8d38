import {
  byText,
  compareMembers,
  nothingFor,
  type AssignableTopics,
  type Assignment,
  type ImmediateAssignor,
  type GroupMember,
} from './assignor.ts'

/**
 * Assigns all partitions of all topics to the members in turn, skipping members that are not subscribed. The result is
 * even if all want the same topics; otherwise a member may get far more than others.
 */
export const roundRobinAssignor: ImmediateAssignor = {
  name: 'roundrobin',
  protocols: ['eager'],
  assign(members: readonly GroupMember[], topics: AssignableTopics): Assignment {
    // Static members come first, so that a restart, which gives them a new member id, changes nothing.
    const sorted = [...members].sort(compareMembers)
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
