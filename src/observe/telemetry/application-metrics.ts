/** Metrics of the application that a client pushes beside its own (KIP-1076). */
import { readOptions, type OptionTable } from '../../option-table.ts'
import { aFunction, aString, aTextTable, oneOf, shown, type Check } from '../../options.ts'
import type { Logger } from '../logger.ts'
import { textOfThrown } from '../thrown.ts'
import type { TelemetryMetric } from './otlp.ts'

/** A metric of the application, for `client.registerMetric()`. */
export interface ApplicationMetric {
  /** The name, such as `com.example.orders.pending`. Brokers request metrics by how their names begin. Required. */
  readonly name: string
  /** `gauge`: a current value. `counter`: a value that only grows. Required. */
  readonly kind: 'gauge' | 'counter'
  /** What distinguishes metrics of one name, such as `{ region: 'eu' }`. Default: none. */
  readonly attributes?: Readonly<Record<string, string>>
  /**
   * Returns the value. Each push calls it, if a broker has requested the metric. The push is without the metric if it
   * throws or returns anything but a finite number. Required.
   */
  readonly read: () => number | undefined
}

const aName: Check<string> = (value) => (value === '' ? 'must not be empty' : aString(value))

/** The checks and defaults of `ApplicationMetric`. */
export const APPLICATION_METRIC = {
  name: { check: aName, required: true },
  kind: { check: oneOf('gauge', 'counter'), required: true },
  attributes: { check: aTextTable, defaultText: 'none' },
  read: { check: aFunction, required: true },
} as const satisfies OptionTable<ApplicationMetric>

interface Registered extends ApplicationMetric {
  readonly attributes: Readonly<Record<string, string>>
  /** The value of a counter in the last push that a broker accepted. */
  pushed: number
}

/** The values for one push. */
export interface ReadApplicationMetrics {
  readonly metrics: readonly TelemetryMetric[]
  /** The broker has accepted the push: the next deltas begin at its values. */
  accepted(): void
}

export class ApplicationMetrics {
  readonly #registered = new Map<string, Registered>()

  /**
   * Adds a metric, and replaces one with the same name and attributes. Returns a function that removes it. Throws
   * InvalidArgumentError.
   */
  register(metric: ApplicationMetric): () => void {
    const read = readOptions<ApplicationMetric, typeof APPLICATION_METRIC>(
      'registerMetric',
      metric,
      APPLICATION_METRIC,
    )
    const registered: Registered = {
      name: read.name,
      kind: read.kind,
      attributes: { ...read.attributes },
      read: () => metric.read(),
      pushed: 0,
    }
    const key = keyOf(registered)
    this.#registered.set(key, registered)
    return () => {
      if (this.#registered.get(key) === registered) this.#registered.delete(key)
    }
  }

  /** Reads the metrics whose names begin with one of these prefixes. */
  read(requested: readonly string[], isDelta: boolean, logger: Logger): ReadApplicationMetrics {
    const counted: { readonly of: Registered; readonly value: number }[] = []
    const metrics: TelemetryMetric[] = []
    for (const one of this.#registered.values()) {
      const { name, kind, attributes } = one
      if (!requested.some((prefix) => name.startsWith(prefix))) continue
      const value = valueOf(one, logger)
      if (value === undefined) continue
      if (kind === 'gauge') metrics.push({ name, kind, value, attributes })
      else {
        // A counter that has shrunk has begun again at 0.
        const growth = value < one.pushed ? value : value - one.pushed
        metrics.push({ name, kind: 'sum', value: isDelta ? growth : value, attributes })
        counted.push({ of: one, value })
      }
    }
    return {
      metrics,
      accepted: () => {
        for (const { of, value } of counted) of.pushed = value
      },
    }
  }
}

function valueOf({ name, read }: ApplicationMetric, logger: Logger): number | undefined {
  try {
    const value: unknown = read()
    if (typeof value === 'number' && Number.isFinite(value)) return value
    if (value !== undefined) logger.debug(`the metric '${name}' has no number: ${shown(value)}`)
  } catch (error) {
    logger.debug(`reading the metric '${name}' failed: ${textOfThrown(error)}`)
  }
  return undefined
}

function keyOf({ name, attributes }: Registered): string {
  const sorted = Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify([name, sorted])
}
