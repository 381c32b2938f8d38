import type { BackoffOptions } from '../../async/backoff.ts'
import type { Deadline } from '../../async/deadline.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import type { Outcome } from '../../cluster/fan-out.ts'
import type { Recipient } from '../../cluster/recipient.ts'
import type { Target } from '../../cluster/target.ts'
import { isRetriable, TopicRecreatedError, type KafkaError } from '../../errors.ts'
import { nameOf } from '../topic-partition.ts'
import type { CommitResult, OffsetToCommit } from './offset-store.ts'

export interface CommitSettings {
  readonly items: readonly OffsetToCommit[]
  readonly to: Target
  readonly what: string
  readonly deadline: Deadline
  readonly backoff: BackoffOptions
  readonly maxRetries: number
  /** Sends one request and returns the result of each offset in it. */
  readonly ask: (
    offsets: readonly OffsetToCommit[],
    recipient: Recipient,
  ) => Promise<readonly CommitResult[]>
}

/**
 * The number of attempts while a broker learns of a new topic. For a deleted topic it would return the error
 * permanently.
 */
const ATTEMPTS_OF_UNKNOWN = 4

/**
 * Retries the partitions that may succeed later, and only these. A partition that still fails at the end keeps its
 * last error.
 */
export async function commitOffsets(
  cluster: Cluster,
  { to, ask, ...settings }: CommitSettings,
): Promise<readonly CommitResult[]> {
  const denied = new DeniedTopics(cluster)
  const outcomes = await cluster.fanOut.run<OffsetToCommit, undefined>({
    ...settings,
    to: () => to,
    retry: mayPass,
    ask: async (offsets, recipient) => {
      const refused = await denied.refuse(offsets)
      const left = offsets.filter((offset) => !refused.some(({ item }) => item === offset))
      if (left.length === 0) return refused
      const asked = new Map(left.map((offset) => [nameOf(offset), offset]))
      const results = await ask(left, recipient)
      denied.learn(results)
      const outcomes = results.flatMap((result): Outcome<OffsetToCommit, undefined>[] => {
        const item = asked.get(nameOf(result))
        if (item === undefined) return []
        const { error } = result
        return [error === undefined ? { item, result: undefined } : { item, error }]
      })
      return [...refused, ...outcomes]
    },
  })
  return outcomes.map(({ item: { topic, partition }, error }) => ({ topic, partition, error }))
}

/**
 * The topics of a commit that a broker has denied. A topic that is deleted may be created again before the next
 * attempt, and a request with names would then commit the position of the former topic: metadata is asked first.
 */
class DeniedTopics {
  readonly #cluster: Cluster
  readonly #topics = new Set<string>()

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  learn(results: readonly CommitResult[]): void {
    for (const { topic, error } of results) {
      if (error?.code === 'UNKNOWN_TOPIC_OR_PARTITION') this.#topics.add(topic)
    }
  }

  /** Refuses the offsets of topics that are not, or no longer, those that were read. */
  async refuse(offsets: readonly OffsetToCommit[]): Promise<Outcome<OffsetToCommit, undefined>[]> {
    const topics = new Set(offsets.map(({ topic }) => topic).filter((one) => this.#topics.has(one)))
    await Promise.allSettled([...topics].map((topic) => this.#cluster.refresh(topic)))
    return offsets.flatMap((item) => {
      const { topic, partition, topicId } = item
      const known = this.#cluster.known(topic)?.topicId
      if (!topics.has(topic) || topicId === undefined || known === undefined) return []
      return known === topicId ? [] : [{ item, error: new TopicRecreatedError(topic, partition) }]
    })
  }
}

function mayPass(error: KafkaError, attempts: number): boolean {
  if (!isRetriable(error)) return false
  const isUnknown = error.code === 'UNKNOWN_TOPIC_OR_PARTITION' || error.code === 'UNKNOWN_TOPIC_ID'
  return !isUnknown || attempts < ATTEMPTS_OF_UNKNOWN
}
