import type { Assignor, GroupMember, TopicPartition } from '../../index.ts'
import type { TopicMetadata } from '../connection/topic-metadata.ts'
import type { Assigner, PartitionAssigner } from '../types/consumer.ts'
import { AssignerProtocol } from './assigner-protocol.ts'

const { MemberAssignment, MemberMetadata } = AssignerProtocol

/**
 * Assigns the partitions to the members in turn: partitions in the order of the topics, members in the order of their
 * ids.
 */
const roundRobin: PartitionAssigner = ({ cluster }) => ({
  name: 'RoundRobinAssigner',
  version: 0,
  assign({ members, topics }) {
    const memberIds = members.map(({ memberId }) => memberId).sort()
    const shares = new Map(memberIds.map((memberId) => [memberId, new Map<string, number[]>()]))
    const all = topics.flatMap((topic) =>
      cluster
        .findTopicPartitionMetadata(topic)
        .map(({ partitionId }) => ({ topic, partition: partitionId })),
    )
    all.forEach(({ topic, partition }, index) => {
      const share = shares.get(memberIds[index % memberIds.length]!)!
      share.set(topic, [...(share.get(topic) ?? []), partition])
    })
    const given = [...shares].filter(([, share]) => share.size > 0)
    return Promise.resolve(
      given.map(([memberId, share]) => ({
        memberId,
        memberAssignment: MemberAssignment.encode({
          version: this.version,
          assignment: Object.fromEntries(share),
          userData: Buffer.alloc(0),
        }),
      })),
    )
  },
  protocol({ topics }) {
    const metadata = { version: this.version, topics, userData: Buffer.alloc(0) }
    return { name: this.name, metadata: MemberMetadata.encode(metadata) }
  },
})

export const PartitionAssigners = { roundRobin }

/**
 * Converts an assigner of kafkajs to one of samsa. `subscribed` returns the topics of this member. As in kafkajs, a
 * leader assigns the partitions of its own topics to all members, and a member does not read topics to which it has
 * not subscribed.
 */
export function assignorFrom(
  assigner: Assigner,
  topics: TopicMetadata,
  subscribed: () => string[],
): Assignor {
  return {
    name: assigner.name,
    protocols: ['eager'],
    userData: () => {
      const { metadata } = assigner.protocol({ topics: subscribed() })
      return MemberMetadata.decode(metadata)?.userData
    },
    assign: async (members, known) => {
      // Assigners look the topics up synchronously.
      await topics.load([...known.keys()])
      const assigned = await assigner.assign({
        members: members.map((member) => ({
          memberId: member.memberId,
          memberMetadata: metadataOf(member, assigner.version),
        })),
        topics: subscribed().filter((topic) => known.has(topic)),
      })
      return new Map(
        assigned.map(({ memberId, memberAssignment }) => [
          memberId,
          partitionsOf(memberAssignment),
        ]),
      )
    },
  }
}

function metadataOf({ topics, userData }: GroupMember, version: number): Buffer {
  const data = userData ?? Buffer.alloc(0)
  return MemberMetadata.encode({ version, topics: [...topics], userData: data })
}

function partitionsOf(memberAssignment: Buffer): TopicPartition[] {
  const { assignment = {} } = MemberAssignment.decode(memberAssignment) ?? {}
  return Object.entries(assignment).flatMap(([topic, partitions]) =>
    partitions.map((partition) => ({ topic, partition })),
  )
}
