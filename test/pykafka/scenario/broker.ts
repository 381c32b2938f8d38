import * as protocol from '../../../protocol/index.ts'
import type { Case, Scene } from './scene.ts'

/** The format of records that goes with a version of Produce. */
function formatOf(version: number): 0 | 1 | 2 {
  if (version >= 3) return 2
  return version === 2 ? 1 : 0
}

async function committedOffset({ client, name }: Scene): Promise<number> {
  const topics = [{ name, partitionIndexes: [0] }]
  const to = { coordinator: 'group', key: name } as const
  const body = { groupId: name, topics }
  const answer = await client.request(protocol.offsetFetch, body, { to, maxVersion: 5 })
  return Number(answer.topics[0]!.partitions[0]!.committedOffset)
}

/** What pykafka's `Broker` can be asked, asked by `client.request`: the port of that part of scenario.py. */
export const BROKER_CASES: Readonly<Record<string, Case>> = {
  'broker/a message is produced and fetched': async (scene) => {
    await scene.topic()
    const { client, name } = scene
    const to = { leader: { topic: name, partition: 0 } } as const
    await client.request(
      protocol.produce,
      (version) => {
        const options = { format: formatOf(version) }
        const records = protocol.encodeRecords([{ key: 'k', value: 'v' }], options)
        const topicData = [{ name, partitionData: [{ index: 0, records }] }]
        return { acks: 1, timeoutMs: 5_000, topicData }
      },
      { to, maxVersion: 8 },
    )
    const partitions = [{ partition: 0, fetchOffset: 0n, partitionMaxBytes: 1 << 20 }]
    const body = { maxWaitMs: 1_000, minBytes: 1, topics: [{ topic: name, partitions }] }
    const { responses } = await client.request(protocol.fetch, body, { to, maxVersion: 6 })
    const [found] = protocol.decodeRecords(responses[0]!.partitions[0]!.records!)
    return [String(found!.value), String(found!.key), found!.offset]
  },

  'broker/offset limits': async (scene) => {
    await scene.fill()
    const { client, name } = scene
    const partitions = [{ partitionIndex: 0, timestamp: -1n, maxNumOffsets: 1 }]
    const body = { replicaId: -1, topics: [{ name, partitions }] }
    const to = { leader: { topic: name, partition: 0 } } as const
    const { topics } = await client.request(protocol.listOffsets, body, { to, maxVersion: 0 })
    return topics[0]!.partitions[0]!.oldStyleOffsets.map(Number)
  },

  'broker/metadata of a topic': async (scene) => {
    await scene.topic()
    const { client, name } = scene
    const body = { topics: [{ name }] }
    const { topics } = await client.request(protocol.metadata, body, { maxVersion: 8 })
    return topics[0]!.partitions.map(({ partitionIndex }) => partitionIndex).sort()
  },

  'broker/offsets of a group': async (scene) => {
    await scene.fill()
    const consumer = await scene.member()
    await consumer.commitOffsets(new Map([[0, 3]]))
    return committedOffset(scene)
  },

  'broker/offsets are committed': async (scene) => {
    await scene.topic()
    const { client, name } = scene
    const partitions = [{ partitionIndex: 0, committedOffset: 4n, committedMetadata: 'by hand' }]
    const body = { groupId: name, topics: [{ name, partitions }] }
    const to = { coordinator: 'group', key: name } as const
    await client.request(protocol.offsetCommit, body, { to, maxVersion: 7 })
    return committedOffset(scene)
  },

  'broker/a member joins a group, beats and leaves': async (scene) => {
    await scene.topic()
    const { client, name: groupId } = scene
    const to = { coordinator: 'group', key: groupId } as const
    const protocols = [{ name: 'own', metadata: Buffer.from('metadata') }]
    const timeouts = { sessionTimeoutMs: 30_000, rebalanceTimeoutMs: 30_000 }
    const joining = { groupId, ...timeouts, protocolType: 'own', protocols }
    const joined = await client.request(
      protocol.joinGroup,
      { ...joining, memberId: '' },
      // From v4 on a member gets its id first, and joins again with it.
      { to, maxVersion: 3 },
    )
    const { generationId, memberId } = joined
    const member = { groupId, generationId, memberId }
    const assignments = [{ memberId, assignment: Buffer.from('all of it') }]
    const synced = await client.request(
      protocol.syncGroup,
      { ...member, assignments },
      { to, maxVersion: 3 },
    )
    const beat = await client.request(protocol.heartbeat, member, { to })
    const left = await client.request(
      protocol.leaveGroup,
      { groupId, memberId },
      { to, maxVersion: 2 },
    )
    const isWhole = Buffer.from(synced.assignment).toString() === 'all of it'
    return [joined.leader === memberId, isWhole, beat.errorCode, left.errorCode]
  },
}
