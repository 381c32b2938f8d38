import type { NewTopic, ResourceConfigs, TopicDescription } from '../index.ts'

/**
 * The options for creating a topic with the partitions, replicas and own configs of another topic.
 */
export function topicLike(
  { partitions }: TopicDescription,
  { configs }: ResourceConfigs,
  name: string,
): NewTopic & { readonly replicationFactor: number } {
  const own = configs.filter(({ source, value }) => source === 'topic' && value !== null)
  return {
    topic: name,
    partitions: partitions.length,
    replicationFactor: partitions[0]?.replicas.length ?? 1,
    configs: Object.fromEntries(own.map((entry) => [entry.name, entry.value])),
  }
}
