import { Histogram } from './histogram.ts'
import { LabelMap } from './label-map.ts'
import type { Collector } from './snapshot.ts'

/** Acknowledgements of messages of one topic. */
export interface AcknowledgedMetrics {
  /** Those that brokers have accepted. */
  accepted: number
  /** Those without effect. */
  failed: number
}

/** What the share consumers of one group count, in addition to what all consumers count. */
export class ShareGroupMetrics {
  readonly topics: LabelMap<AcknowledgedMetrics>
  /** The number of messages in each response that has messages. */
  readonly fetchMessages = new Histogram()
  readonly pollInterval = new Histogram()
  readonly waitDuration = new Histogram()
  assignments = 0

  constructor(mostTopics: number) {
    this.topics = new LabelMap(mostTopics, () => ({ accepted: 0, failed: 0 }))
  }

  collect(into: Collector, group: string): void {
    const labels = { group }
    for (const [topic, { accepted, failed }] of this.topics) {
      into.add('samsa_share_acknowledgements_total', { group, topic }, accepted)
      into.add('samsa_share_failed_acknowledgements_total', { group, topic }, failed)
    }
    into.add('samsa_share_assignments_total', labels, this.assignments)
    into.histogram('samsa_share_fetch_messages', labels, this.fetchMessages)
    into.histogram('samsa_share_poll_interval_seconds', labels, this.pollInterval)
    into.histogram('samsa_share_wait_duration_seconds', labels, this.waitDuration)
  }
}
