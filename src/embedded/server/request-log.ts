import { deferred, type Deferred } from '../../async/deferred.ts'
import { ClosedError } from '../../errors.ts'
import type { ApiName } from '../api/api-names.ts'

/** A request that a broker has read. */
export interface SeenRequest {
  /** The name of the API. */
  readonly api: ApiName
  /** The version of the API that the client chose. */
  readonly version: number
  /** The id of the broker that received it. */
  readonly broker: number
  /** The `clientId` that the client sent; null if it sent none. */
  readonly clientId: string | null
  /** The principal of the client, as Kafka writes it: `User:alice`. Undefined while it is not logged in. */
  readonly principal: string | undefined
  /** The decoded request: the fields of Kafka's own definition, in camelCase, int64 as bigint. */
  readonly body: Readonly<Record<string, unknown>>
  /** Milliseconds since 1970, by this machine's clock. */
  readonly receivedAtMs: number
}

/** Which requests `cluster.requests` returns. Default: all. */
export type RequestFilter = Partial<Pick<SeenRequest, 'api' | 'broker' | 'clientId'>>

/** The maximum number of stored requests: the oldest are removed first. */
const MOST_REQUESTS = 10_000
const MOST_BYTES = 32 * 1024 * 1024

/** The requests that the brokers received, for assertions in tests. */
export class RequestLog {
  /** From index `#first` on; the earlier entries are already removed. */
  #entries: ({ readonly request: SeenRequest; readonly sizeBytes: number } | undefined)[] = []
  #first = 0
  readonly #waiting = new Set<{
    readonly filter: RequestFilter
    readonly next: Deferred<SeenRequest>
  }>()
  #bytes = 0
  #dropped = 0
  #isClosed = false

  /** The matching requests, oldest first. */
  all(filter: RequestFilter = {}): readonly SeenRequest[] {
    return this.#entries.flatMap((entry) =>
      entry !== undefined && fits(entry.request, filter) ? [entry.request] : [],
    )
  }

  /** The number of requests that were removed because of the limit. */
  get dropped(): number {
    return this.#dropped
  }

  /** Resolves with the next matching request. Rejects with ClosedError when the cluster stops. */
  next(filter: RequestFilter = {}): Promise<SeenRequest> {
    const next = deferred<SeenRequest>()
    // Prevents an unhandled rejection in a test that has stopped waiting.
    next.promise.catch(() => undefined)
    if (this.#isClosed) next.reject(new ClosedError('embedded cluster'))
    else this.#waiting.add({ filter, next })
    return next.promise
  }

  /** Removes all requests so far. */
  clear(): void {
    this.#entries = []
    this.#first = 0
    this.#bytes = 0
    this.#dropped = 0
  }

  /** Called by the brokers. */
  add(request: SeenRequest, sizeBytes: number): void {
    this.#entries.push({ request, sizeBytes })
    this.#bytes += sizeBytes
    while (this.#entries.length - this.#first > MOST_REQUESTS || this.#bytes > MOST_BYTES) {
      this.#dropOldest()
    }
    for (const waiting of this.#waiting) {
      if (!fits(request, waiting.filter)) continue
      this.#waiting.delete(waiting)
      waiting.next.resolve(request)
    }
  }

  /** Does not move the other entries: moving them each time would cost more than all other work for a small request. */
  #dropOldest(): void {
    this.#bytes -= this.#entries[this.#first]?.sizeBytes ?? 0
    this.#entries[this.#first++] = undefined
    this.#dropped++
    if (this.#first < MOST_REQUESTS) return
    this.#entries = this.#entries.slice(this.#first)
    this.#first = 0
  }

  /** Called when the cluster stops. */
  close(): void {
    this.#isClosed = true
    for (const { next } of this.#waiting) next.reject(new ClosedError('embedded cluster'))
    this.#waiting.clear()
  }
}

function fits(request: SeenRequest, { api, broker, clientId }: RequestFilter): boolean {
  return (
    (api === undefined || api === request.api) &&
    (broker === undefined || broker === request.broker) &&
    (clientId === undefined || clientId === request.clientId)
  )
}
