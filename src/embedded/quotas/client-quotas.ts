import type { ClusterStorage } from '../storage/cluster-storage.ts'
import { keyOfEntity, type QuotaEntity } from './quota-entity.ts'
import { WindowedRate } from './windowed-rate.ts'

/** Quotas of an entity, by Kafka's names. */
export interface EntityQuotas {
  readonly entity: QuotaEntity
  readonly values: ReadonlyMap<string, number>
}

/** The client of the request. */
export interface QuotaClient {
  /** The principal without its `User:`. */
  readonly user: string
  readonly clientId: string
}

export type ByteRate = 'producer_byte_rate' | 'consumer_byte_rate'

interface Limit {
  readonly bytesPerSecond: number
  /** All clients of the entity share it. */
  readonly key: string
}

/** The rates at which clients may send, read and use the brokers (KIP-13, KIP-124, KIP-546). */
export class ClientQuotas {
  readonly #quotas: Map<string, EntityQuotas>
  readonly #rates = new Map<string, WindowedRate>()
  readonly #storage: ClusterStorage

  constructor(storage: ClusterStorage) {
    this.#storage = storage
    this.#quotas = new Map(
      storage.saved.quotas.map(({ entity, values }) => [
        keyOfEntity(entity),
        { entity, values: new Map(Object.entries(values)) },
      ]),
    )
  }

  get all(): readonly EntityQuotas[] {
    return [...this.#quotas.values()]
  }

  /** Sets the values that are numbers, and removes those that are undefined. */
  alter(entity: QuotaEntity, changes: ReadonlyMap<string, number | undefined>): void {
    const key = keyOfEntity(entity)
    const values = new Map(this.#quotas.get(key)?.values)
    for (const [name, value] of changes) {
      if (value === undefined) values.delete(name)
      else values.set(name, value)
    }
    this.#storage.save({ kind: 'quota', entity, values: Object.fromEntries(values) })
    if (values.size === 0) this.#quotas.delete(key)
    else this.#quotas.set(key, { entity, values })
  }

  /** Counts bytes. Returns the throttle time after which the client's rate is within its quota. */
  recordAndThrottleMs(client: QuotaClient, quota: ByteRate, bytes: number, nowMs: number): number {
    const limit = this.#limitOf(client, quota)
    if (limit === undefined) return 0
    const rate = this.#rateOf(limit)
    rate.record(bytes, nowMs)
    return rate.throttleMs(limit.bytesPerSecond, nowMs)
  }

  /** Subtracts bytes that were counted, but not sent. */
  unrecord(client: QuotaClient, quota: ByteRate, bytes: number, nowMs: number): void {
    const limit = this.#limitOf(client, quota)
    if (limit !== undefined) this.#rateOf(limit).record(-bytes, nowMs)
  }

  /** The maximum size of one response, so that a single response does not exceed the client's quota. */
  mostBytes(client: QuotaClient, quota: ByteRate): number {
    const limit = this.#limitOf(client, quota)
    return limit === undefined ? Infinity : limit.bytesPerSecond * WindowedRate.seconds
  }

  #rateOf({ key }: Limit): WindowedRate {
    let rate = this.#rates.get(key)
    if (rate === undefined) {
      rate = new WindowedRate()
      this.#rates.set(key, rate)
    }
    return rate
  }

  /** The first quota that exists, in Kafka's order: only the most specific entity counts. */
  #limitOf({ user, clientId }: QuotaClient, quota: ByteRate): Limit | undefined {
    if (this.#quotas.size === 0) return undefined
    const entities: readonly QuotaEntity[] = [
      { user, clientId },
      { user, clientId: null },
      { user },
      { user: null, clientId },
      { user: null, clientId: null },
      { user: null },
      { clientId },
      { clientId: null },
    ]
    for (const entity of entities) {
      const value = this.#quotas.get(keyOfEntity(entity))?.values.get(quota)
      if (value === undefined) continue
      // A default applies to each entity separately.
      const shared = JSON.stringify([
        'user' in entity ? user : '',
        'clientId' in entity ? clientId : '',
      ])
      return { bytesPerSecond: value, key: `${quota} ${shared}` }
    }
    return undefined
  }
}
