import { ErrorCode } from '../../../protocol/errors.ts'
import type { Deadline } from '../../async/deadline.ts'
import { BrokerError, isRetriable, KafkaError } from '../../errors.ts'
import { retrying, type RetryOptions } from '../../cluster/retry.ts'
import { nameOf } from '../topic-partition.ts'
import type { CommitResult, OffsetToCommit } from './offset-store.ts'

/** One request: says what became of each offset in it. */
export type CommitAttempt = (offsets: readonly OffsetToCommit[]) => Promise<readonly CommitResult[]>

export type CommitRetries = Pick<RetryOptions, 'what' | 'backoff' | 'logger'> & {
  readonly maxRetries: number
}

/** So many attempts a broker has to hear of a topic that is new. One that was deleted it would deny for good. */
const ATTEMPTS_OF_UNKNOWN = 4

/** Tries again what may pass, and only those partitions; what is left at the end has its last error. */
export async function commitWithRetries(
  offsets: readonly OffsetToCommit[],
  deadline: Deadline,
  { maxRetries, ...retries }: CommitRetries,
  attempt: CommitAttempt,
): Promise<readonly CommitResult[]> {
  const left = new Map(offsets.map((offset) => [nameOf(offset), offset]))
  const results = new Map<string, CommitResult>()
  let failures = 0
  const giveUp = () => ++failures > maxRetries
  try {
    await retrying({ ...retries, deadline, giveUp }, async (number) => {
      let passing: KafkaError | undefined
      for (const result of await attempt([...left.values()])) {
        const name = nameOf(result)
        results.set(name, result)
        if (mayPass(result.error, number + 1)) passing ??= result.error
        else left.delete(name)
      }
      if (passing !== undefined) throw passing
    })
  } catch (error) {
    deadline.signal?.throwIfAborted()
    if (!(error instanceof KafkaError)) throw error
    for (const [name, { topic, partition }] of left) {
      const known = results.get(name)?.error
      results.set(name, { topic, partition, error: known ?? error })
    }
  }
  return offsets.map(({ topic, partition }) => {
    const result = results.get(nameOf({ topic, partition }))
    return result ?? { topic, partition, error: notAnswered(retries.what, topic, partition) }
  })
}

function mayPass(error: KafkaError | undefined, attempts: number): error is KafkaError {
  if (error === undefined || !isRetriable(error)) return false
  const isUnknown = error.code === 'UNKNOWN_TOPIC_OR_PARTITION' || error.code === 'UNKNOWN_TOPIC_ID'
  return !isUnknown || attempts < ATTEMPTS_OF_UNKNOWN
}

function notAnswered(what: string, topic: string, partition: number): BrokerError {
  const detail = `the broker did not say anything about ${topic}-${partition}`
  return new BrokerError(ErrorCode.UNKNOWN_SERVER_ERROR, what, { topic, partition }, detail)
}
