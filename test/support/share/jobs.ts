import { EmbeddedCluster } from '../../../src/embedded/index.ts'
import { KafkaClient, type KafkaClientOptions } from '../../../src/index.ts'
import type { Queue } from './queue.ts'

/** Longer than a test may take: what waits for it fails. */
export const FOR_EVER_MS = 3_600_000

/** The options of a share consumer of the queue of `startJobs`. */
export const options = { topics: ['jobs'], shareGroup: 'workers' } as const
export const explicit = { ...options, acknowledgementMode: 'explicit' } as const

export function jobsQueue(partitions: number): Queue {
  return { topic: 'jobs', group: 'workers', partitions }
}

/** An embedded cluster with the topic `jobs`, in which no lock runs out, and a client. */
export async function startJobs(
  partitions: number,
  settings: Partial<KafkaClientOptions> = {},
  brokers = 2,
) {
  const kafka = await EmbeddedCluster.start({
    brokers,
    topics: { jobs: { partitions } },
    shareAutoOffsetReset: 'earliest',
    shareRecordLockMs: FOR_EVER_MS,
  })
  return { kafka, client: new KafkaClient({ ...settings, hosts: kafka.hosts }) }
}

export async function stopJobs(kafka: EmbeddedCluster, client: KafkaClient): Promise<void> {
  kafka.faults.clear()
  await client.close()
  await kafka.stop()
}
