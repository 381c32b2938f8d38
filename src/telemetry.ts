import { getTelemetrySubscriptions } from '../protocol/apis/get-telemetry-subscriptions.ts'
import { pushTelemetry } from '../protocol/apis/push-telemetry.ts'
import type { Api } from '../protocol/schema/api.ts'
import type { Decoded, Encodable, Fields } from '../protocol/schema/fields.ts'
import { Timer } from './async/timer.ts'
import { deferred } from './async/deferred.ts'
import type { Cluster } from './cluster/cluster.ts'
import type { Broker } from './network/broker.ts'
import type { ClientMetricsSnapshot } from './observe/metrics/snapshot.ts'
import type { TelemetryPusher } from './observe/telemetry/pusher.ts'

/**
 * Pushes a client's metrics to its brokers (KIP-714). The module is loaded when a broker that accepts metrics is
 * reached: brokers without a plugin for them do not have the API.
 */
export class Telemetry {
  readonly #cluster: Cluster
  readonly #snapshot: () => ClientMetricsSnapshot
  #loading: Promise<TelemetryPusher | undefined> | undefined
  #isStopped = false
  /** The broker that got the last request. */
  #broker: Broker | undefined

  constructor(cluster: Cluster, snapshot: () => ClientMetricsSnapshot) {
    this.#cluster = cluster
    this.#snapshot = snapshot
    cluster.onReached((versions) => {
      if (versions.has(getTelemetrySubscriptions)) this.#loading ??= this.#load()
    })
  }

  /** Pushes a last time, if a broker has requested metrics. Takes at most `waitMs`, and never rejects. */
  async stop(waitMs: number): Promise<void> {
    this.#isStopped = true
    const over = deferred()
    const timer = new Timer(waitMs, () => over.resolve())
    const stopped = this.#loading?.then((pusher) => pusher?.stop())
    await Promise.race([stopped, over.promise])
    timer.cancel()
  }

  async #load(): Promise<TelemetryPusher | undefined> {
    const { logger } = this.#cluster.options
    try {
      const { TelemetryPusher: Pusher } = await import('./observe/telemetry/pusher.ts')
      if (this.#isStopped) return undefined
      const pusher = new Pusher({
        requests: {
          subscriptions: (body) => this.#request(getTelemetrySubscriptions, body),
          push: (body) => this.#request(pushTelemetry, body),
        },
        snapshot: this.#snapshot,
        logger,
      })
      pusher.start()
      return pusher
    } catch (error) {
      logger.warn(`metrics cannot be pushed: ${String(error)}`)
      return undefined
    }
  }

  /** All requests go to one broker as long as it responds, because it keeps state about the client. */
  async #request<Request extends Fields, Response extends Fields>(
    api: Api<Request, Response>,
    body: Encodable<Request>,
  ): Promise<Decoded<Response>> {
    const options = { timeoutMs: this.#cluster.options.requestTimeoutMs }
    const known = [...this.#cluster.brokers.values()]
    const last = this.#broker
    const broker =
      last !== undefined && known.includes(last)
        ? last
        : known[Math.floor(Math.random() * known.length)]
    this.#broker = broker
    if (broker === undefined) return this.#cluster.requestAny(api, body, options)
    try {
      return await broker.request(api, body, options)
    } catch (error) {
      this.#broker = undefined
      throw error
    }
  }
}
