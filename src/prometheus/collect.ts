import { METRICS, type MetricDeclaration } from '../index.ts'
import { familiesOf, type Family, type MetricsReader, type PrometheusOptions } from './families.ts'

/** The part of a registry that `collect` needs: prom-client's `Registry` has it. */
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
    // The counters of a client cannot be reset.
  }
}

/**
 * Adds the metrics of clients to a registry of prom-client, such as its default `register`. The metrics are read when
 * the registry is read. Returns a function that removes them.
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
    // A registry reads all of its metrics in the same turn of the event loop: one snapshot serves all of them.
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
