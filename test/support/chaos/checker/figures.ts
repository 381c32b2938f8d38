import type { Anomaly, AnomalyKind, History } from './history.ts'

/** What a report says of a run. */
export interface Figures {
  readonly sent: number
  readonly acknowledged: number
  /** Failed, and reported as not in the log. */
  readonly failed: number
  /** Failed with an outcome that the producer does not know, or its process was killed first. */
  readonly unknown: number
  readonly inLog: number
  readonly lost: number
  readonly duplicated: number
  readonly reordered: number
  readonly delivered: number
  /** Deliveries to a group of messages that it had already got. */
  readonly redelivered: number
  /** The longest time of a run in which nothing was acknowledged, or nothing delivered, in milliseconds. */
  readonly longestProduceGapMs: number
  readonly longestConsumeGapMs: number
}

export function figuresOf(history: History, anomalies: readonly Anomaly[]): Figures {
  const { sends, consumers, logs } = history
  const outcomes = sends.map(({ outcome }) => outcome)
  const acknowledged = outcomes.filter((outcome) => outcome?.what === 'acknowledged')
  const isCertain = outcomes.filter((outcome) => outcome?.what === 'failed' && outcome.isCertain)
  const count = (kind: AnomalyKind) => anomalies.filter((one) => one.kind === kind).length
  const deliveries = consumers.flatMap(({ group, name, events }) =>
    events.flatMap((event) =>
      event.what === 'delivered' ? [{ ...event, reader: group ?? name }] : [],
    ),
  )
  const distinct = new Set(
    deliveries.map(({ reader, partition, offset, id }) => `${reader} ${id} ${partition} ${offset}`),
  )
  return {
    sent: sends.length,
    acknowledged: acknowledged.length,
    failed: isCertain.length,
    unknown: sends.length - acknowledged.length - isCertain.length,
    inLog: logs.reduce((sum, { entries }) => sum + entries.length, 0),
    lost: count('lost'),
    duplicated: count('duplicated'),
    reordered: count('reordered'),
    delivered: deliveries.length,
    redelivered: deliveries.length - distinct.size,
    longestProduceGapMs: longestGap(acknowledged.map(({ at }) => at)),
    longestConsumeGapMs: longestGap(deliveries.map(({ at }) => at)),
  }
}

export function longestGap(times: readonly number[]): number {
  const sorted = Float64Array.from(times).sort()
  let longest = 0
  for (let at = 1; at < sorted.length; at++) {
    longest = Math.max(longest, sorted[at]! - sorted[at - 1]!)
  }
  return Math.round(longest)
}
