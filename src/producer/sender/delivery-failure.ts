import {
  deniesTopic,
  LeaderNotFoundError,
  ProduceFailureError,
  UnknownTopicError,
  type KafkaError,
} from '../../errors.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import type { Batch } from '../accumulator/batch.ts'
import type { PartitionQueue } from '../accumulator/partition-queue.ts'

/** The error of a failed batch: after which time, why, and whether it may be in the log. */
export function deliveryFailure(
  cluster: Cluster,
  batch: Batch,
  after: string,
  why = '',
): KafkaError {
  const { queue, lastError = queue.lastError } = batch
  const { topic, partition } = queue
  const outcomeUnknown = batch.outcomeUnknown || batch.request?.isWritten === true
  const last = lastError === undefined ? '' : `; the last error: ${lastError.message}`
  const context = { topic, partition, cause: lastError }
  if (!outcomeUnknown && isMissing(cluster, queue, lastError)) {
    const reason = `${topic}-${partition} did not exist ${after}${last}`
    return new UnknownTopicError(reason, context)
  }
  const unknown = outcomeUnknown ? '; it may be in the log' : ''
  return new ProduceFailureError(
    `no acknowledgement from ${topic}-${partition} ${after}${why}${last}${unknown}`,
    outcomeUnknown,
    context,
  )
}

/**
 * The error of a batch that failed permanently. If the batch may be in the log, the error reports that, whatever the
 * last failure was.
 */
export function knownOutcome({ outcomeUnknown, queue }: Batch, error: Error): Error {
  if (!outcomeUnknown || error instanceof ProduceFailureError) return error
  const { topic, partition } = queue
  return new ProduceFailureError(
    `${error.message}; an earlier attempt got no response: the message may be in the log`,
    true,
    { topic, partition, cause: error },
  )
}

export function timesOf({ attempts }: Batch): string {
  return `${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}`
}

/** Whether the last known state is that there is no such partition, rather than that it cannot be reached. */
function isMissing(
  cluster: Cluster,
  { topic, partition }: PartitionQueue<Batch>,
  lastError: Error | undefined,
): boolean {
  if (deniesTopic(lastError)) return true
  if (!(lastError instanceof LeaderNotFoundError)) return false
  const known = cluster.known(topic)
  return known === undefined || !known.partitions.some((one) => one.partition === partition)
}
