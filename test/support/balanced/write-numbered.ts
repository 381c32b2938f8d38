import { KafkaClient } from '../../../src/index.ts'

/** Writes to this many partitions in turns, and says what: `partition:offset`. */
export async function writeNumbered(
  hosts: string,
  topic: string,
  partitions: number,
  count: number,
): Promise<string[]> {
  await using client = new KafkaClient({ hosts })
  await using producer = await client.topic(topic).getProducer()
  const written = Array.from({ length: count }, (_, number) =>
    producer.produce(`message ${number}`, { partition: number % partitions }),
  )
  return (await Promise.all(written)).map(({ partition, offset }) => `${partition}:${offset}`)
}
