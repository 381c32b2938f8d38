import type { Api } from '../../protocol/schema/api.ts'
import type { Decoded, Fields } from '../../protocol/schema/fields.ts'
import type { BodyFor, Broker, BrokerRequestOptions } from '../network/broker.ts'
import type { BrokerPool } from './broker-pool.ts'

/** The broker of one attempt: one that the router has found, or any that can be reached. */
export interface Recipient {
  /** Undefined if any broker will do. */
  readonly broker: Broker | undefined
  /** `host:port`, for errors. Undefined if any broker will do. */
  readonly name: string | undefined
  /**
   * Sends a request once. Throws the errors of the connection. Default of the timeout: the client's `socketTimeoutMs`.
   */
  request<Request extends Fields, Response extends Fields>(
    api: Api<Request, Response>,
    body: BodyFor<Request>,
    options?: Partial<BrokerRequestOptions>,
  ): Promise<Decoded<Response>>
}

/** `patienceMs`: see `BrokerPool.requestAny`. */
export function recipientOf(
  pool: BrokerPool,
  broker: Broker | undefined,
  patienceMs = Infinity,
): Recipient {
  const { requestTimeoutMs: timeoutMs } = pool.options
  return {
    broker,
    name: broker?.name,
    request: (api, body, options = {}) =>
      broker === undefined
        ? pool.requestAny(api, body, { timeoutMs, patienceMs, ...options })
        : broker.request(api, body, { timeoutMs, ...options }),
  }
}
