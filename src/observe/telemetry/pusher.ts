/**
 * Pushes the client's metrics to a broker that requests them (KIP-714): gets the subscription, pushes at its interval,
 * and marks the last push before the client closes as terminating. An error here affects no message.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type {
  GetTelemetrySubscriptionsRequest,
  GetTelemetrySubscriptionsResponse,
} from '../../../protocol/apis/get-telemetry-subscriptions.ts'
import type {
  PushTelemetryRequest,
  PushTelemetryResponse,
} from '../../../protocol/apis/push-telemetry.ts'
import { codecOf, COMPRESSIONS } from '../../../protocol/compression/index.ts'
import { ErrorCode } from '../../../protocol/errors.ts'
import { ZERO_UUID } from '../../../protocol/schema/fields.ts'
import { BrokerError, KafkaError, UnsupportedVersionError } from '../../errors.ts'
import type { Logger } from '../logger.ts'
import type { ClientMetricsSnapshot } from '../metrics/snapshot.ts'
import type { ApplicationMetrics } from './application-metrics.ts'
import { encodeMetrics, type TelemetryMetric } from './otlp.ts'
import { standardMetrics } from './standard-metrics.ts'

/**
 * The requests of a client to a broker that has the APIs. Both throw UnsupportedVersionError if no known broker has
 * them.
 */
export interface TelemetryRequests {
  subscriptions(body: GetTelemetrySubscriptionsRequest): Promise<GetTelemetrySubscriptionsResponse>
  push(body: PushTelemetryRequest): Promise<PushTelemetryResponse>
}

export interface TelemetryPusherParts {
  readonly requests: TelemetryRequests
  readonly snapshot: () => ClientMetricsSnapshot
  /** Returns the ids of the known brokers by address. */
  readonly nodeIds: () => ReadonlyMap<string, number>
  readonly application: ApplicationMetrics
  readonly logger: Logger
}

/** The broker assigns an id in its response to this one. */
const NO_ID = ZERO_UUID
/** Limits of the interval, in case a broker requests an unreasonable one. */
const SHORTEST_INTERVAL_MS = 100
const LONGEST_INTERVAL_MS = 24 * 60 * 60 * 1_000
/** The wait after a failed request, as in the Java client. */
const RETRY_MS = 30_000
/** Errors after which the client sends no more telemetry requests. */
const FINAL: readonly string[] = ['CLOSED', 'CLUSTER_AUTHORIZATION_FAILED', 'INVALID_REQUEST']

interface Subscription {
  readonly id: number
  readonly intervalMs: number
  readonly maxBytes: number
  readonly isDelta: boolean
  readonly codecs: readonly number[]
  readonly requested: readonly string[]
}

interface Compressed {
  readonly codec: number
  readonly payload: Buffer
}

export class TelemetryPusher {
  readonly #parts: TelemetryPusherParts
  readonly #ending = new AbortController()
  /** Assigned by the first broker, and used for the life of the client. */
  #instanceId = NO_ID
  #subscription: Subscription | undefined
  /** The snapshot of the last push that a broker accepted; the next push reports what happened since. */
  #last: ClientMetricsSnapshot
  /** Codecs that a broker rejected, or that are not available in this process. */
  readonly #unusable = new Set<number>()
  #running: Promise<void> | undefined
  /** A broker has refused this client, or an error is not one of Kafka's. */
  #isRefused = false

  constructor(parts: TelemetryPusherParts) {
    this.#parts = parts
    // The first push covers the time since the client was created.
    const now = parts.snapshot()
    this.#last = { ...now, time: now.since, metrics: [] }
  }

  /**
   * Starts pushing, when a broker is reached that has the APIs. Does nothing while it is running, and after a broker
   * has refused the client.
   */
  start(): void {
    if (this.#isRefused || this.#ending.signal.aborted) return
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined
    })
  }

  /** Pushes a last time if a broker has requested metrics, and stops. Never rejects. */
  async stop(): Promise<void> {
    this.#ending.abort()
    await this.#running
    const subscription = this.#subscription
    if (subscription === undefined || subscription.requested.length === 0) return
    await this.#push(subscription, true).catch(() => undefined)
  }

  async #run(): Promise<void> {
    let isFirst = true
    while (!this.#ending.signal.aborted) {
      try {
        this.#subscription ??= await this.#subscribe()
        // The first wait is random, so that clients that start at the same time push at different times.
        const spread = isFirst ? 0.5 + Math.random() : 1
        isFirst = false
        const subscription = this.#subscription
        if (!(await this.#wait(subscription.intervalMs * spread))) return
        if (subscription.requested.length === 0) this.#subscription = undefined
        else await this.#push(subscription, false)
      } catch (error) {
        this.#subscription = undefined
        if (error instanceof UnsupportedVersionError) {
          this.#parts.logger.info('metrics are not pushed: no known broker accepts them')
          return
        }
        if (!(error instanceof KafkaError) || FINAL.includes(error.code)) {
          this.#isRefused = true
          this.#parts.logger.info(`the client stops pushing metrics: ${String(error)}`)
          return
        }
        this.#parts.logger.debug(`pushing metrics failed: ${error.message}`)
        if (!(await this.#wait(RETRY_MS))) return
      }
    }
  }

  async #subscribe(): Promise<Subscription> {
    const response = await this.#parts.requests.subscriptions({
      clientInstanceId: this.#instanceId,
    })
    throwFor(response.errorCode, 'getting the telemetry subscription')
    if (this.#instanceId === NO_ID) this.#instanceId = response.clientInstanceId
    const { pushIntervalMs, telemetryMaxBytes } = response
    return {
      id: response.subscriptionId,
      intervalMs: Math.min(LONGEST_INTERVAL_MS, Math.max(SHORTEST_INTERVAL_MS, pushIntervalMs)),
      maxBytes: telemetryMaxBytes,
      isDelta: response.deltaTemporality,
      codecs: response.acceptedCompressionTypes,
      requested: response.requestedMetrics,
    }
  }

  async #push(subscription: Subscription, terminating: boolean): Promise<void> {
    const now = this.#parts.snapshot()
    const { requested, isDelta } = subscription
    const nodeIds = this.#parts.nodeIds()
    const all = standardMetrics({ before: this.#last, after: now, isDelta, nodeIds })
    const own = all.filter(({ name }) => requested.some((prefix) => name.startsWith(prefix)))
    const { application, logger } = this.#parts
    const ofApplication = application.read(requested, isDelta, logger)
    // The metrics of the application come last: they are the first to be dropped if the payload is too large.
    const metrics = [...own, ...ofApplication.metrics]
    const { codec, payload, isEmpty } = this.#payload(subscription, metrics, now)
    const response = await this.#parts.requests.push({
      clientInstanceId: this.#instanceId,
      subscriptionId: subscription.id,
      terminating,
      compressionType: codec,
      metrics: payload,
    })
    switch (response.errorCode) {
      case ErrorCode.NONE:
        if (isEmpty && metrics.length > 0) {
          // No metric fits into the limit that rejections have lowered: the client requests its subscription again.
          this.#subscription = { ...subscription, requested: [] }
          return
        }
        this.#last = now
        ofApplication.accepted()
        return
      case ErrorCode.UNKNOWN_SUBSCRIPTION_ID:
        // The subscription has changed. The run loop requests the new one immediately.
        this.#subscription = undefined
        return
      case ErrorCode.UNSUPPORTED_COMPRESSION_TYPE:
        this.#unusable.add(codec)
        this.#subscription = undefined
        return
      case ErrorCode.TELEMETRY_TOO_LARGE:
        // If nothing is left to drop, the client requests its subscription again after the interval.
        this.#subscription = isEmpty
          ? { ...subscription, requested: [] }
          : { ...subscription, maxBytes: Math.floor(payload.length / 2) }
        return
      case ErrorCode.INVALID_RECORD:
      case ErrorCode.THROTTLING_QUOTA_EXCEEDED:
        // The broker dropped this push. The next one follows after the interval and also covers the time of this one.
        return
      default:
        throwFor(response.errorCode, 'pushing metrics')
    }
  }

  /**
   * Encodes the metrics with the first of the broker's codecs that is available. Drops the last half of them until the
   * payload fits.
   */
  #payload(
    { maxBytes, codecs, isDelta }: Subscription,
    metrics: readonly TelemetryMetric[],
    now: ClientMetricsSnapshot,
  ): Compressed & { readonly isEmpty: boolean } {
    const since = isDelta ? this.#last.time : now.since
    const attributes = { client_id: now.clientId, client_software_name: 'samsa' }
    for (let wanted = metrics; ; wanted = wanted.slice(0, wanted.length >>> 1)) {
      const data = encodeMetrics({ metrics: wanted, since, time: now.time, isDelta, attributes })
      const compressed = this.#compressed(data, codecs)
      const isEmpty = wanted.length === 0
      if (isEmpty || compressed.payload.length <= maxBytes) return { ...compressed, isEmpty }
    }
  }

  #compressed(data: Buffer, codecs: readonly number[]): Compressed {
    for (const codec of codecs) {
      if (COMPRESSIONS[codec] === undefined || this.#unusable.has(codec)) continue
      try {
        return { codec, payload: Buffer.from(codecOf(codec).compress(data)) }
      } catch {
        this.#unusable.add(codec)
      }
    }
    return { codec: 0, payload: data }
  }

  /** Resolves with true after the wait, and with false as soon as the client closes. */
  async #wait(waitMs: number): Promise<boolean> {
    try {
      await sleep(waitMs, undefined, { ref: false, signal: this.#ending.signal })
      return true
    } catch {
      return false
    }
  }
}

function throwFor(errorCode: number, what: string): void {
  if (errorCode !== ErrorCode.NONE) throw new BrokerError(errorCode, what)
}
