import type { ApiName } from '../api/api-names.ts'

/** What `throttle` asks for. */
export interface ThrottleOptions {
  /** Default: all that can report it. */
  readonly api?: ApiName
  /** The throttle_time_ms of the responses; 0 for none again. */
  readonly ms: number
}

/**
 * Throttle times as quotas set them. Since Kafka 2.0 (KIP-219) the response comes at once and the client
 * is to keep quiet for that time.
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
