import type { BackoffOptions } from '../../async/backoff.ts'
import type { Deadline } from '../../async/deadline.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import type { Outcome } from '../../cluster/fan-out.ts'
import type { Recipient } from '../../cluster/recipient.ts'
import type { Target } from '../../cluster/target.ts'
import { isRetriable, type KafkaError } from '../../errors.ts'
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
  const outcomes = await cluster.fanOut.run<OffsetToCommit, undefined>({
    ...settings,
    to: () => to,
    retry: mayPass,
    ask: async (offsets, recipient) => {
      const asked = new Map(offsets.map((offset) => [nameOf(offset), offset]))
      const results = await ask(offsets, recipient)
      return results.flatMap((result): Outcome<OffsetToCommit, undefined>[] => {
        const item = asked.get(nameOf(result))
        if (item === undefined) return []
        const { error } = result
        return [error === undefined ? { item, result: undefined } : { item, error }]
      })
    },
  })
  return outcomes.map(({ item: { topic, partition }, error }) => ({ topic, partition, error }))
}

function mayPass(error: KafkaError, attempts: number): boolean {
  if (!isRetriable(error)) return false
  const isUnknown = error.code === 'UNKNOWN_TOPIC_OR_PARTITION' || error.code === 'UNKNOWN_TOPIC_ID'
  return !isUnknown || attempts < ATTEMPTS_OF_UNKNOWN
}
