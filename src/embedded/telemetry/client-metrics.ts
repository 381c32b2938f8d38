/** What the brokers request of clients' metrics (KIP-714), and what clients have pushed. */
import { codecOf, COMPRESSIONS } from '../../../protocol/compression/index.ts'
import type { ErrorName } from '../../../protocol/errors.ts'
import { crc32c } from '../../../protocol/buffer/crc32c.ts'
import { ZERO_UUID } from '../../../protocol/schema/fields.ts'
import { Refused } from '../refused.ts'
import { decodeMetrics, type PushedMetric } from './otlp.ts'
import { MetricsSubscriptions, type MeasuredClient, type ResourceStore } from './subscriptions.ts'

/** Metrics that a client pushed, and that the broker accepted. */
export interface PushedMetrics {
  /** The `clientId` of the client. */
  readonly clientId: string
  /** The id that the broker assigned to the client. */
  readonly clientInstanceId: string
  /** The node id of the broker. */
  readonly broker: number
  /** True for the last push before the client closes. */
  readonly isLast: boolean
  /** Which compression the client chose. */
  readonly compression: string
  /** The values, in the order of the push. */
  readonly metrics: readonly PushedMetric[]
}

export interface MetricsPush {
  readonly clientInstanceId: string
  readonly subscriptionId: number
  readonly terminating: boolean
  readonly compressionType: number
  readonly metrics: Uint8Array
}

/** In the broker's order of preference: zstd, lz4, gzip, snappy. */
export const ACCEPTED_COMPRESSIONS: readonly number[] = [4, 3, 1, 2]
/** Kafka's default of `telemetry.max.bytes`. */
export const TELEMETRY_MAX_BYTES = 1_048_576
/** A push is small when compressed, and must not fill the memory when it is not. */
const MOST_DECOMPRESSED_BYTES = 64 * TELEMETRY_MAX_BYTES
/** The maximum number of pushes, and of clients, that are remembered. */
const MOST_PUSHES = 1_000
const MOST_CLIENTS = 16_384
/** After these errors a client may request its subscription at once. */
const MAY_ASK_AGAIN: readonly ErrorName[] = [
  'UNKNOWN_SUBSCRIPTION_ID',
  'UNSUPPORTED_COMPRESSION_TYPE',
]

/** What a broker knows of a client. */
interface ClientInstance {
  readonly id: string
  readonly subscriptionId: number
  readonly intervalMs: number
  readonly metrics: readonly string[]
  lastGetMs: number
  lastPushMs: number
  lastError: ErrorName | undefined
  isTerminated: boolean
}

export class ClientMetricsReceiver {
  readonly subscriptions: MetricsSubscriptions
  readonly #isReceiving: (broker: number) => boolean
  readonly #newUuid: () => string
  readonly #clients = new Map<string, ClientInstance>()
  readonly #pushes: PushedMetrics[] = []

  constructor(
    isReceiving: (broker: number) => boolean,
    newUuid: () => string,
    store: ResourceStore,
  ) {
    this.subscriptions = new MetricsSubscriptions(store)
    this.#isReceiving = isReceiving
    this.#newUuid = newUuid
  }

  /** What clients have pushed, oldest first. */
  get pushes(): readonly PushedMetrics[] {
    return this.#pushes
  }

  /** Whether the broker has a plugin that receives metrics: without one, it does not have the APIs. */
  isReceiving(broker: number): boolean {
    return this.#isReceiving(broker)
  }

  /** Returns the subscription of a client. Throws THROTTLING_QUOTA_EXCEEDED if the client requests it too often. */
  subscribe(client: MeasuredClient, nowMs: number): ClientInstance {
    const id = client.instanceId === ZERO_UUID ? this.#newUuid() : client.instanceId
    const instance = this.#instance({ ...client, instanceId: id })
    const last = Math.max(instance.lastGetMs, instance.lastPushMs)
    const mayAsk = instance.lastError !== undefined && MAY_ASK_AGAIN.includes(instance.lastError)
    if (nowMs - last < instance.intervalMs && !mayAsk) {
      throw new Refused(
        'THROTTLING_QUOTA_EXCEEDED',
        `Request from the client [${id}] arrived before the next push interval time`,
      )
    }
    instance.lastGetMs = nowMs
    instance.lastError = undefined
    return instance
  }

  /** Takes a push. Throws Refused. */
  push(client: MeasuredClient, push: MetricsPush, nowMs: number): void {
    if (push.clientInstanceId === ZERO_UUID) {
      throw new Refused('INVALID_REQUEST', 'Invalid request, invalid client instance id')
    }
    const instance = this.#instance(client)
    try {
      this.#check(instance, push, nowMs)
      const metrics = metricsOf(push)
      this.#pushes.push({
        clientId: client.clientId,
        clientInstanceId: instance.id,
        broker: client.broker,
        isLast: push.terminating,
        compression: COMPRESSIONS[push.compressionType] ?? 'none',
        metrics,
      })
      if (this.#pushes.length > MOST_PUSHES) this.#pushes.shift()
      instance.isTerminated = push.terminating
      instance.lastError = undefined
    } catch (error) {
      if (error instanceof Refused) instance.lastError = error.error
      throw error
    }
  }

  /** Throws Refused for a push that the broker does not pass to its plugin. */
  #check(instance: ClientInstance, push: MetricsPush, nowMs: number): void {
    if (instance.isTerminated) {
      throw new Refused('INVALID_REQUEST', 'The client has pushed with the terminating flag before')
    }
    const isFirst = instance.lastGetMs > instance.lastPushMs
    const isEarly = !isFirst && nowMs - instance.lastPushMs < instance.intervalMs
    if (isEarly && !push.terminating) {
      throw new Refused(
        'THROTTLING_QUOTA_EXCEEDED',
        `Request from the client [${instance.id}] arrived before the next push interval time`,
      )
    }
    instance.lastPushMs = nowMs
    if (push.subscriptionId !== instance.subscriptionId) {
      throw new Refused('UNKNOWN_SUBSCRIPTION_ID')
    }
    if (push.compressionType !== 0 && !ACCEPTED_COMPRESSIONS.includes(push.compressionType)) {
      throw new Refused('UNSUPPORTED_COMPRESSION_TYPE')
    }
    if (push.metrics.length > TELEMETRY_MAX_BYTES) throw new Refused('TELEMETRY_TOO_LARGE')
  }

  /** Returns what the broker knows of a client; begins again when its subscription has changed. */
  #instance(client: MeasuredClient): ClientInstance {
    if (!this.isReceiving(client.broker)) throw new Refused('UNSUPPORTED_VERSION')
    const { intervalMs, metrics } = this.subscriptions.of(client)
    const id = client.instanceId
    const text = Buffer.from(JSON.stringify([metrics, intervalMs, id]))
    const subscriptionId = crc32c(text) | 0
    const key = `${client.broker} ${id}`
    const known = this.#clients.get(key)
    if (known?.subscriptionId === subscriptionId) return known
    const instance: ClientInstance = {
      id,
      subscriptionId,
      intervalMs,
      metrics,
      lastGetMs: -Infinity,
      lastPushMs: -Infinity,
      lastError: undefined,
      isTerminated: known?.isTerminated ?? false,
    }
    this.#clients.delete(key)
    this.#clients.set(key, instance)
    const [oldest] = this.#clients.keys()
    if (this.#clients.size > MOST_CLIENTS && oldest !== undefined) this.#clients.delete(oldest)
    return instance
  }
}

/** Throws INVALID_RECORD, as a plugin does for metrics that it cannot read. */
function metricsOf({ compressionType, metrics }: MetricsPush): readonly PushedMetric[] {
  let data: Uint8Array
  try {
    data = codecOf(compressionType).decompress(metrics, MOST_DECOMPRESSED_BYTES)
  } catch {
    throw new Refused('INVALID_RECORD', 'The metrics cannot be decompressed.')
  }
  return decodeMetrics(Buffer.from(data))
}
