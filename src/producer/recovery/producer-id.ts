import { initProducerId } from '../../../protocol/apis/init-producer-id.ts'
import { ErrorCode } from '../../../protocol/errors.ts'
import type { Deadline } from '../../async/deadline.ts'
import { LOOKUP_PATIENCE_MS } from '../../cluster/broker-pool.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import { BrokerError, UnsupportedVersionError } from '../../errors.ts'

/** A producer's identity at the brokers (KIP-98). */
export interface ProducerIdentity {
  readonly producerId: bigint
  readonly producerEpoch: number
  /** Whether its batches belong to a transaction. Default: false. */
  readonly transactional?: boolean
}

/** Only transactions have one; brokers require a number in any case. */
const TRANSACTION_TIMEOUT_MS = 60_000

/**
 * Requests a producer id from any broker. Undefined if none is available and none is `required`: brokers before 0.11 do
 * not support it, and those before 2.8 require the ACL IdempotentWrite (KIP-679). Throws UnsupportedVersionError or
 * BrokerError if it is required.
 */
export async function fetchProducerId(
  cluster: Cluster,
  deadline: Deadline,
  required: boolean,
): Promise<ProducerIdentity | undefined> {
  const body = { transactionalId: null, transactionTimeoutMs: TRANSACTION_TIMEOUT_MS }
  const settings = {
    to: 'any',
    what: 'requesting a producer id',
    deadline,
    // An id that nothing uses costs nothing, and a frozen broker would cost the whole timeout of the request.
    patienceMs: LOOKUP_PATIENCE_MS,
  } as const
  try {
    const { producerId, producerEpoch } = await cluster.router.call(initProducerId, body, settings)
    // With −1 brokers accept a batch without its sequence, so that duplicates would not be detected.
    if (producerId < 0n || producerEpoch < 0) {
      const detail = `${producerId} with epoch ${producerEpoch} is not a producer id`
      throw new BrokerError(ErrorCode.UNKNOWN_SERVER_ERROR, settings.what, {}, detail)
    }
    return { producerId, producerEpoch }
  } catch (error) {
    if (required || !isRefusal(error)) throw error
    cluster.options.logger.info(`the producer continues without idempotence: ${error.message}`)
    return undefined
  }
}

function isRefusal(error: unknown): error is Error {
  if (error instanceof UnsupportedVersionError) return true
  return error instanceof BrokerError && error.errorCode === ErrorCode.CLUSTER_AUTHORIZATION_FAILED
}
