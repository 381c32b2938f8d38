import type { TopicPartition } from '../consumer/topic-partition.ts'

/** Values by partition. Needs no string for each partition, unlike a Map by `nameOf`. */
export class PartitionMap<Value> {
  readonly #topics = new Map<string, Map<number, Value>>()

  get({ topic, partition }: TopicPartition): Value | undefined {
    return this.#topics.get(topic)?.get(partition)
  }

  set({ topic, partition }: TopicPartition, value: Value): void {
    const ofTopic = this.#topics.get(topic)
    if (ofTopic === undefined) this.#topics.set(topic, new Map([[partition, value]]))
    else ofTopic.set(partition, value)
  }

  values(): Value[] {
    return [...this.#topics.values()].flatMap((ofTopic) => [...ofTopic.values()])
  }
}
