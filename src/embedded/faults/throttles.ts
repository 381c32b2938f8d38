import type { ApiName } from '../api/api-names.ts'

/** The options of `throttle`. */
export interface ThrottleOptions {
  /** Default: all APIs with a throttle time. */
  readonly api?: ApiName
  /** The throttle_time_ms of the responses; 0 ends the throttling. */
  readonly ms: number
}

/**
 * Throttle times like those of quotas. Since Kafka 2.0 (KIP-219) the response is sent immediately,
 * and the client must not send requests during that time.
 */
export class Throttles {
  readonly #byApi = new Map<string, number>()
  #all = 0

  set({ api, ms }: ThrottleOptions): void {
    if (api === undefined) {
      this.#byApi.clear()
      this.#all = ms
    } else this.#byApi.set(api, ms)
  }

  of(api: string): number {
    return this.#byApi.get(api) ?? this.#all
  }
}
