import type { KafkaClient, Metric } from '../index.ts'
import { fixedBuckets } from './buckets.ts'

/** A client, as far as its metrics are read: every KafkaClient is one. */
export type MetricsReader = Pick<KafkaClient, 'metrics'>

/** What to export. */
export interface PrometheusOptions {
  /**
   * Whether lag has a value for each partition, with the label `partition`. Partitions of all topics are many series:
   * ask for them only where that is wanted. Default: false.
   */
  readonly partitions?: boolean
}

/** A line of a metric. */
export interface Series {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** A metric of all clients, with its lines. */
export interface Family {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly series: Series[]
}

/** Returns the metrics of one client or several, by name. */
export function familiesOf(
  clients: MetricsReader | readonly MetricsReader[],
  options: PrometheusOptions,
): ReadonlyMap<string, Family> {
  const families = new Map<string, Family>()
  for (const client of 'metrics' in clients ? [clients] : clients) {
    for (const metric of client.metrics(options).metrics) {
      const { name, description, kind } = metric
      let family = families.get(name)
      if (family === undefined) {
        family = { name, help: description, type: kind, series: [] }
        families.set(name, family)
      }
      family.series.push(...seriesOf(metric))
    }
  }
  return families
}

function seriesOf(metric: Metric): Series[] {
  const { name } = metric
  if (metric.kind !== 'histogram') {
    return metric.samples.map(({ labels, value }) => ({ name, labels: { ...labels }, value }))
  }
  return metric.samples.flatMap((sample) => [
    ...fixedBuckets(sample, metric.unit).map(({ le, count }) => ({
      name: `${name}_bucket`,
      labels: { ...sample.labels, le },
      value: count,
    })),
    { name: `${name}_sum`, labels: { ...sample.labels }, value: sample.sum },
    { name: `${name}_count`, labels: { ...sample.labels }, value: sample.count },
  ])
}
