import type { KafkaClient, Metric } from '../index.ts'
import { fixedBuckets } from './buckets.ts'

/** The part of a KafkaClient from which metrics are read. */
export type MetricsReader = Pick<KafkaClient, 'metrics'>

/** The options of `collect` and `metricsText`. */
export interface PrometheusOptions {
  /**
   * Whether lag has a value for each partition, with the label `partition`, instead of one for each topic. This can
   * result in many series. Default: false.
   */
  readonly partitions?: boolean
}

/** One line of a metric in the text format. */
export interface Series {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** A metric, with the lines of all clients. */
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
