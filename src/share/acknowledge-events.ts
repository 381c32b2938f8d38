import { acknowledgeChannel, type AcknowledgeEvent } from '../observe/channels.ts'
import type { ConsumerMetrics } from '../observe/metrics/client-metrics.ts'
import type { TopicPartition } from '../consumer/topic-partition.ts'
import { countOf, type AcknowledgedRange, type AcknowledgeType } from './acknowledgements.ts'

/** Acknowledgements of one partition in one request. */
export interface SentAcknowledgements {
  readonly broker: string
  readonly of: TopicPartition
  readonly ranges: readonly AcknowledgedRange[]
  readonly durationMs: number
}

/**
 * Publishes acknowledgements and their result: `errorOf` returns undefined if the broker has accepted them. Gaps and
 * renewals acknowledge no message.
 */
export function publishAcknowledged(
  { client, group }: ConsumerMetrics,
  { broker, of: { topic, partition }, ranges, durationMs }: SentAcknowledgements,
  errorOf: () => Error | undefined,
): void {
  if (!acknowledgeChannel.hasSubscribers || group === undefined) return
  const count = (type: AcknowledgeType) => countOf(ranges.filter((range) => range.type === type))
  const accepted = count('accept')
  const released = count('release')
  const rejected = count('reject')
  if (accepted + released + rejected === 0) return
  const { clientId, clusterId } = client
  const event: AcknowledgeEvent = {
    clientId,
    clusterId,
    broker,
    group,
    topic,
    partition,
    accepted,
    released,
    rejected,
    durationMs,
    error: errorOf(),
  }
  acknowledgeChannel.publish(event)
}
