import { METRICS, type MetricDeclaration } from '../index.ts'
import { familiesOf, type Family, type MetricsReader, type PrometheusOptions } from './families.ts'

/** What `collect` needs of a registry: prom-client's `Registry` has it. */
export interface MetricRegistry {
  /** Adds a metric. */
  registerMetric(metric: object): void
  /** Removes a metric. */
  removeSingleMetric(name: string): void
}

/** A metric as prom-client's registry reads it. */
class CollectedMetric {
  /** Written by the registry, which drops `_total` in the OpenMetrics format. */
  name: string
  readonly help: string
  readonly type: Family['type']
  readonly aggregator = 'sum'
  readonly #read: () => Family | undefined

  constructor(
    name: string,
    { description, kind }: MetricDeclaration,
    read: () => Family | undefined,
  ) {
    this.name = name
    this.help = description
    this.type = kind
    this.#read = read
  }

  get(): unknown {
    const { name, help, type, aggregator } = this
    const series = this.#read()?.series ?? []
    const values = series.map((one) => ({
      value: one.value,
      labels: one.labels,
      ...(type === 'histogram' ? { metricName: one.name } : {}),
    }))
    return { name, help, type, aggregator, values }
  }

  reset(): void {
    // Counters of a client never start again.
  }
}

/**
 * Adds the metrics of clients to a registry of prom-client, such as `prom-client`'s `register`. They are read when the
 * registry is. Returns what removes them.
 *
 * ```ts
 * import { register } from 'prom-client'
 * const stop = collect(register, client)
 * ```
 */
export function collect(
  registry: MetricRegistry,
  clients: MetricsReader | readonly MetricsReader[],
  options: PrometheusOptions = {},
): () => void {
  let current: ReadonlyMap<string, Family> | undefined
  const families = () => {
    // A registry asks all of its metrics in one go: one snapshot serves them.
    if (current === undefined) {
      current = familiesOf(clients, options)
      queueMicrotask(() => {
        current = undefined
      })
    }
    return current
  }
  const names = Object.entries<MetricDeclaration>(METRICS).map(([name, declared]) => {
    registry.registerMetric(new CollectedMetric(name, declared, () => families().get(name)))
    return name
  })
  return () => {
    for (const name of names) registry.removeSingleMetric(name)
  }
}
