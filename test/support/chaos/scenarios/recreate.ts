import { now } from '../workload/lines.ts'
import { waitFor } from '../../kafka/wait.ts'
import { PATIENCE_MS } from '../../patience.ts'
import { nothingToHeal } from '../kit/fault.ts'
import type { Run } from './scenario.ts'

/** Members keep reading; producers end before and others start after, so that each message belongs to one topic. */
export async function recreate(run: Run): Promise<void> {
  const { workload, cluster, topic, partitions } = run
  await workload.stopProducers()
  const former = await workload.readLog({ createdAt: -Infinity })
  await workload.caughtUp(former)
  const { admin } = cluster.client
  const ways = workload.producers.map(({ plan }) => plan.way)
  await run.fault('recreate topic', async () => {
    const [before] = await admin.describeTopics([topic])
    const deletedAt = now()
    await admin.deleteTopics([topic])
    run.earlier.push({ ...former, deletedAt })
    run.createdAt = now()
    const replicationFactor = cluster.kafka.brokerIds.length
    // With ZooKeeper the name is free only when all brokers have removed its logs.
    await waitFor(
      async () => {
        try {
          await admin.createTopics([{ topic, partitions, replicationFactor }])
          return true
        } catch (error) {
          if (!String(error).includes('TOPIC_ALREADY_EXISTS')) throw error
          return undefined
        }
      },
      { timeoutMs: PATIENCE_MS, onTimeout: () => new Error(`${topic} was not deleted`) },
    )
    const [after] = await admin.describeTopics([topic])
    if (before?.topicId === after?.topicId) throw new Error('the topic has kept its id')
    const successors = ways.map((way) => workload.startProducer(way))
    await Promise.all(successors.map(({ process }) => process.started()))
    return { proof: `topic ${before?.topicId} became ${after?.topicId}`, heal: nothingToHeal }
  })
}
