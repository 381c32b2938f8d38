import type { EmbeddedCluster } from '../../../src/embedded/index.ts'
import { KafkaClient } from '../../../src/index.ts'

/** The values that a read_committed consumer of its own finds in topics, each partition in its order. */
export async function readCommitted(
  kafka: EmbeddedCluster,
  ...topics: readonly string[]
): Promise<string[]> {
  await using client = new KafkaClient({ hosts: kafka.hosts })
  await using consumer = await client.getConsumer({
    topics,
    autoOffsetReset: 'earliest',
    isolationLevel: 'read_committed',
    stopAtEnd: true,
  })
  const values: string[] = []
  for await (const { value } of consumer) values.push(String(value))
  return values
}

/** The same values, sorted: for topics of several partitions. */
export async function committed(
  kafka: EmbeddedCluster,
  ...topics: readonly string[]
): Promise<string[]> {
  return (await readCommitted(kafka, ...topics)).sort()
}
