/** The configs of client metrics resources (KIP-714): which metrics the brokers request of which clients. */
import { Refused } from '../refused.ts'

/** What a subscription may select clients by. */
export interface MeasuredClient {
  readonly instanceId: string
  readonly clientId: string
  /** The address of the client. */
  readonly host: string
  /** The node id of the broker that received the client's request. */
  readonly broker: number
}

export interface Subscription {
  readonly intervalMs: number
  /** Prefixes of names; an empty one stands for all metrics, and no prefix for none. */
  readonly metrics: readonly string[]
}

const INTERVAL_MS = 300_000
const SHORTEST_INTERVAL_MS = 100
const LONGEST_INTERVAL_MS = 3_600_000

/** The configs of a resource, with their defaults and Kafka's numbers of their types. */
export const SUBSCRIPTION_CONFIGS = [
  { name: 'interval.ms', type: 'int', defaultValue: String(INTERVAL_MS) },
  { name: 'match', type: 'list', defaultValue: '' },
  { name: 'metrics', type: 'list', defaultValue: '' },
] as const

const MATCHED: Readonly<Record<string, (client: MeasuredClient) => string>> = {
  client_id: ({ clientId }) => clientId,
  client_instance_id: ({ instanceId }) => instanceId,
  client_source_address: ({ host }) => host,
}

interface SubscriptionOfResource {
  readonly values: ReadonlyMap<string, string>
  readonly intervalMs: number
  readonly metrics: readonly string[]
  readonly matches: readonly ((client: MeasuredClient) => boolean)[]
}

/** Where the configs of resources are kept. */
export interface ResourceStore {
  readonly saved: Iterable<{
    readonly name: string
    readonly values: Readonly<Record<string, string>>
  }>
  /** A resource without values is removed. */
  save(name: string, values: Readonly<Record<string, string>>): void
}

export class MetricsSubscriptions {
  readonly #resources = new Map<string, SubscriptionOfResource>()
  readonly #store: ResourceStore

  constructor(store: ResourceStore) {
    this.#store = store
    for (const { name, values } of store.saved) {
      this.#resources.set(name, resourceOf(new Map(Object.entries(values))))
    }
  }

  /** The names of the resources. */
  get names(): readonly string[] {
    return [...this.#resources.keys()]
  }

  /** The configs that are set for a resource; none if it does not exist. */
  valuesOf(name: string): ReadonlyMap<string, string> {
    return this.#resources.get(name)?.values ?? new Map()
  }

  /** Replaces the configs of a resource; without any, the resource is removed. Throws INVALID_CONFIG. */
  configure(name: string, values: ReadonlyMap<string, string>, validateOnly = false): void {
    if (name === '') throw new Refused('INVALID_REQUEST', "Subscription name can't be empty")
    const known = SUBSCRIPTION_CONFIGS.map((config): string => config.name)
    for (const given of values.keys()) {
      if (known.includes(given)) continue
      throw new Refused('INVALID_CONFIG', `Unknown client metrics configuration: ${given}`)
    }
    const resource = resourceOf(values)
    if (validateOnly) return
    this.#store.save(name, Object.fromEntries(values))
    if (values.size === 0) this.#resources.delete(name)
    else this.#resources.set(name, resource)
  }

  /** Combines the subscriptions whose patterns match a client. */
  of(client: MeasuredClient): Subscription {
    const matching = [...this.#resources.values()].filter(({ matches }) =>
      matches.every((isMatch) => isMatch(client)),
    )
    const metrics = new Set(matching.flatMap((one) => one.metrics))
    return {
      intervalMs: matching.reduce((least, one) => Math.min(least, one.intervalMs), INTERVAL_MS),
      metrics: metrics.has('*') ? [''] : [...metrics].sort(),
    }
  }
}

function resourceOf(values: ReadonlyMap<string, string>): SubscriptionOfResource {
  return {
    values,
    intervalMs: intervalOf(values.get('interval.ms')),
    metrics: listOf(values.get('metrics')),
    matches: listOf(values.get('match')).map(matcherOf),
  }
}

function listOf(value = ''): readonly string[] {
  return value
    .split(',')
    .map((one) => one.trim())
    .filter(Boolean)
}

function intervalOf(value = String(INTERVAL_MS)): number {
  const intervalMs = Number(value)
  const isInRange = intervalMs >= SHORTEST_INTERVAL_MS && intervalMs <= LONGEST_INTERVAL_MS
  if (/^\d+$/.test(value) && isInRange) return intervalMs
  throw new Refused(
    'INVALID_CONFIG',
    `Invalid value ${value} for interval.ms, interval must be between 100 and 3600000 (1 hour)`,
  )
}

function matcherOf(text: string): (client: MeasuredClient) => boolean {
  const [key = '', pattern] = text.split('=', 2).map((part) => part.trim())
  const read = MATCHED[key]
  if (read === undefined || pattern === undefined) {
    throw new Refused('INVALID_CONFIG', `Illegal client matching pattern: ${text}`)
  }
  try {
    const whole = new RegExp(`^(?:${pattern})$`)
    return (client) => whole.test(read(client))
  } catch {
    throw new Refused('INVALID_CONFIG', `Illegal client matching pattern: ${text}`)
  }
}
