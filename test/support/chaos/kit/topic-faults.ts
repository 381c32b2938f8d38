/** What is done to partitions and their replicas by requests. */
import { setTimeout as delay } from 'node:timers/promises'
import { nothingToHeal, type Fault } from './fault.ts'

const ELECTIONS = 20

/** Another leader of every partition of every topic each second. */
export const electionEachSecond: Fault = async ({ cluster, topics, partitions }) => {
  const { admin } = cluster.client
  const describe = async () => {
    const all: { topic: string; partition: number; leader: number; replicas: number[] }[] = []
    for (const topic of topics) {
      const found = await cluster.describe(topic)
      for (const [partition, { leader, replicas }] of found.partitions
        .slice(0, partitions)
        .entries())
        all.push({ topic, partition, leader, replicas: [...replicas] })
    }
    return all
  }
  let changes = 0
  for (let round = 1; round <= ELECTIONS; round++) {
    const before = await describe()
    await admin.alterPartitionReassignments(
      before.map(({ topic, partition, replicas }) => ({
        ...{ topic, partition },
        replicas: [...replicas.slice(1), replicas[0]!],
      })),
    )
    const preferred = before.map(({ topic, partition }) => ({ topic, partition }))
    await admin.electLeaders('preferred', preferred, { settle: true })
    await delay(1_000)
    const after = await describe()
    changes += after.filter(({ leader }, index) => leader !== before[index]!.leader).length
  }
  const wanted = (ELECTIONS * partitions * topics.length) / 2
  if (changes < wanted) throw new Error(`leaders changed ${changes} times, not ${wanted}`)
  return { proof: `leaders changed ${changes} times in ${ELECTIONS} s`, heal: nothingToHeal }
}

/** Takes a replica of every partition away, and gives it back elsewhere in the list. */
export const reassignment: Fault = async ({ cluster, topic, partitions }) => {
  const { admin } = cluster.client
  const numbers = Array.from({ length: partitions }, (_, partition) => partition)
  const move = async (count: number, shift: number): Promise<void> => {
    const { brokerIds } = cluster.kafka
    const wanted = numbers.map((partition) =>
      Array.from(
        { length: count },
        (_, index) => brokerIds[(partition + shift + index) % brokerIds.length]!,
      ),
    )
    await admin.alterPartitionReassignments(
      numbers.map((partition) => ({ topic, partition, replicas: wanted[partition]! })),
    )
    await cluster.until(topic, 'reassigned', (found) =>
      wanted.every((replicas, partition) => {
        const now = found.partitions[partition]!
        const isSame = String(now.replicas) === String(replicas)
        return isSame && now.isr.length === count && now.leader > 0
      }),
    )
  }
  await move(2, 1)
  await move(3, 2)
  return {
    proof: `each of ${partitions} partitions lost a replica and got another`,
    heal: nothingToHeal,
  }
}

export const addedPartitions: Fault = async ({ cluster, topic, partitions }) => {
  const count = partitions + 2
  await cluster.client.admin.createPartitions([{ topic, count }])
  const found = await cluster.until(
    topic,
    'larger',
    (now) => now.partitions.length === count && now.partitions.every(({ leader }) => leader > 0),
  )
  return { proof: `${found.partitions.length} instead of ${partitions}`, heal: nothingToHeal }
}

/** Fewer brokers are in sync than the topic wants: writes are refused, or wait. */
export const minIsrNotMet: Fault = async ({ cluster, topic }) => {
  const leader = await cluster.leaderOf(topic, 0)
  const others = cluster.kafka.brokerIds.filter((id) => id !== leader)
  for (const id of others) await cluster.kafka.stopBroker(id, 'SIGKILL')
  const found = await cluster.until(topic, 'below its min.insync.replicas', ({ partitions }) =>
    partitions.every(({ isr, leader: now }) => now === leader && isr.length === 1),
  )
  return {
    proof: `in-sync replicas: ${found.partitions.map(({ isr }) => isr.join()).join(' ')}`,
    heal: async () => {
      for (const id of others) await cluster.kafka.startBroker(id)
    },
  }
}
