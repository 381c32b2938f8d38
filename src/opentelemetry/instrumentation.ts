import type { MeterProvider, TracerProvider } from '@opentelemetry/api'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { ClientCreatedEvent } from '../index.ts'
import { VERSION } from '../version.ts'
import { instrumentClients, type InstrumentedClient, type InstrumentOptions } from './instrument.ts'

/** The configuration of `SamsaInstrumentation`. */
export interface SamsaInstrumentationConfig extends Omit<
  InstrumentOptions,
  'tracerProvider' | 'meterProvider'
> {
  /** Whether the constructor enables the instrumentation. Default: true. */
  readonly enabled?: boolean
}

/**
 * Instruments all clients of the process, for `registerInstrumentations` and the SDK's `instrumentations`. It
 * implements the interface `Instrumentation` of @opentelemetry/instrumentation without depending on that package, and
 * patches nothing. Only clients that are created after it have metrics.
 *
 * ```ts
 * new NodeSDK({ instrumentations: [new SamsaInstrumentation()] }).start()
 * ```
 */
export class SamsaInstrumentation {
  /** The name of the instrumentation. */
  readonly instrumentationName = 'samsa'
  /** samsa's version. */
  readonly instrumentationVersion = VERSION
  #config: SamsaInstrumentationConfig
  #providers: Pick<InstrumentOptions, 'tracerProvider' | 'meterProvider'> = {}
  #begun: InstrumentedClient | undefined
  readonly #clients = new Set<ClientCreatedEvent>()
  readonly #onClient = (message: unknown) => {
    this.#forgetClosed()
    // A channel has no type for what it publishes.
    this.#clients.add(message as ClientCreatedEvent)
  }

  constructor(config: SamsaInstrumentationConfig = {}) {
    this.#config = config
    if (config.enabled !== false) this.enable()
  }

  /** Starts the instrumentation. Does nothing if it is enabled already. */
  enable(): void {
    if (this.#begun !== undefined) return
    subscribe('samsa:client', this.#onClient)
    const snapshots = () => {
      this.#forgetClosed()
      return [...this.#clients].map(({ metrics }) => metrics())
    }
    this.#begun = instrumentClients({ ...this.#config, ...this.#providers }, () => true, snapshots)
  }

  /** Stops the instrumentation; `enable` starts it again. */
  disable(): void {
    unsubscribe('samsa:client', this.#onClient)
    this.#begun?.stop()
    this.#begun = undefined
  }

  /** Sets the provider of the tracer for later spans. */
  setTracerProvider(tracerProvider: TracerProvider): void {
    this.#providers = { ...this.#providers, tracerProvider }
    this.#again()
  }

  /** Sets the provider of the meter for later metrics. */
  setMeterProvider(meterProvider: MeterProvider): void {
    this.#providers = { ...this.#providers, meterProvider }
    this.#again()
  }

  /** Replaces the configuration. */
  setConfig(config: SamsaInstrumentationConfig): void {
    this.#config = config
    this.#again()
  }

  /** The configuration. */
  getConfig(): SamsaInstrumentationConfig {
    return this.#config
  }

  #again(): void {
    if (this.#begun === undefined) return
    this.disable()
    this.enable()
  }

  #forgetClosed(): void {
    for (const client of this.#clients) if (client.isClosed()) this.#clients.delete(client)
  }
}
