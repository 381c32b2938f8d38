import { getTelemetrySubscriptions } from '../protocol/apis/get-telemetry-subscriptions.ts'
import { pushTelemetry } from '../protocol/apis/push-telemetry.ts'
import type { Api } from '../protocol/schema/api.ts'
import type { Decoded, Encodable, Fields } from '../protocol/schema/fields.ts'
import { ErrorCode } from '../protocol/errors.ts'
import { UnsupportedVersionError } from './errors.ts'
import { Timer } from './async/timer.ts'
import { deferred } from './async/deferred.ts'
import type { Cluster } from './cluster/cluster.ts'
import type { Broker } from './network/broker.ts'
import type { ClientMetricsSnapshot } from './observe/metrics/snapshot.ts'
import type { ApplicationMetrics } from './observe/telemetry/application-metrics.ts'
import type { TelemetryPusher } from './observe/telemetry/pusher.ts'

/**
 * Pushes a client's metrics to its brokers (KIP-714). The module is loaded when a broker that accepts metrics is
 * reached: brokers without a plugin for them do not have the API.
 */
export class Telemetry {
  readonly #cluster: Cluster
  readonly #snapshot: () => ClientMetricsSnapshot
  readonly #application: ApplicationMetrics
  #loading: Promise<TelemetryPusher | undefined> | undefined
  #isStopped = false
  /** The broker that got the last request. */
  #broker: Broker | undefined
  /** Brokers that do not have the APIs. */
  #without = new WeakSet<Broker>()

  constructor(
    cluster: Cluster,
    snapshot: () => ClientMetricsSnapshot,
    application: ApplicationMetrics,
  ) {
    this.#cluster = cluster
    this.#snapshot = snapshot
    this.#application = application
    cluster.onReached((versions) => {
      if (versions.has(getTelemetrySubscriptions)) this.#start()
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

  /** A broker was reached that has the APIs. */
  #start(): void {
    this.#without = new WeakSet()
    if (this.#loading === undefined) this.#loading = this.#load()
    else void this.#loading.then((pusher) => pusher?.start())
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
        nodeIds: () => this.#nodeIds(),
        application: this.#application,
        logger,
      })
      pusher.start()
      return pusher
    } catch (error) {
      logger.warn(`metrics cannot be pushed: ${String(error)}`)
      return undefined
    }
  }

  /**
   * All requests go to one broker as long as it responds, because it keeps state about the client. During an upgrade
   * only some brokers have the APIs: those that do not are left out until one with the APIs is reached. Throws
   * UnsupportedVersionError if none is left.
   */
  async #request<Request extends Fields, Response extends Fields>(
    api: Api<Request, Response>,
    body: Encodable<Request>,
  ): Promise<Decoded<Response>> {
    const options = { timeoutMs: this.#cluster.options.requestTimeoutMs }
    if (this.#cluster.brokers.size === 0) return this.#cluster.requestAny(api, body, options)
    for (;;) {
      const broker = this.#choose()
      if (broker === undefined) {
        throw new UnsupportedVersionError(`no known broker supports ${api.name}`)
      }
      try {
        const response = await broker.request(api, body, options)
        if (!isUnsupported(response)) {
          this.#broker = broker
          return response
        }
      } catch (error) {
        this.#broker = undefined
        if (!(error instanceof UnsupportedVersionError)) throw error
      }
      this.#without.add(broker)
    }
  }

  /** Returns the broker of the last request, or any broker that may have the APIs. */
  #choose(): Broker | undefined {
    const known = [...this.#cluster.brokers.values()].filter((one) => !this.#without.has(one))
    const last = this.#broker
    if (last !== undefined && known.includes(last)) return last
    return known[Math.floor(Math.random() * known.length)]
  }

  #nodeIds(): ReadonlyMap<string, number> {
    return new Map([...this.#cluster.brokers].map(([nodeId, { name }]) => [name, nodeId]))
  }
}

/** Brokers without a plugin for metrics, or whose plugin was removed, may have the API nevertheless. */
function isUnsupported(response: object): boolean {
  return 'errorCode' in response && response.errorCode === ErrorCode.UNSUPPORTED_VERSION
}
