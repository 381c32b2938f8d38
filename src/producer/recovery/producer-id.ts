import { initProducerId } from '../../../protocol/apis/init-producer-id.ts'
import { ErrorCode } from '../../../protocol/errors.ts'
import type { Deadline } from '../../async/deadline.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import { BrokerError, UnsupportedVersionError } from '../../errors.ts'

/** A producer as the brokers know it (KIP-98). */
export interface ProducerIdentity {
  readonly producerId: bigint
  readonly producerEpoch: number
  /** Whether its batches belong to a transaction. Default: false. */
  readonly transactional?: boolean
}

/** Only transactions have one; brokers want some number all the same. */
const TRANSACTION_TIMEOUT_MS = 60_000

/**
 * Asks any broker for a producer id. Undefined if none is available and none is `required`: brokers
 * before 0.11 know nothing of it, and those before 2.8 want the ACL IdempotentWrite (KIP-679).
 * Throws UnsupportedVersionError or BrokerError where it is required.
 */
export async function fetchProducerId(
  cluster: Cluster,
  deadline: Deadline,
  required: boolean,
): Promise<ProducerIdentity | undefined> {
  const body = { transactionalId: null, transactionTimeoutMs: TRANSACTION_TIMEOUT_MS }
  const settings = { to: 'any', what: 'asking for a producer id', deadline } as const
  try {
    const { producerId, producerEpoch } = await cluster.router.call(initProducerId, body, settings)
    // With −1 brokers take a batch without its sequence: duplicates would be let through.
    if (producerId < 0n || producerEpoch < 0) {
      const detail = `${producerId} with epoch ${producerEpoch} is no producer id`
      throw new BrokerError(ErrorCode.UNKNOWN_SERVER_ERROR, settings.what, {}, detail)
    }
    return { producerId, producerEpoch }
  } catch (error) {
    if (required || !isRefusal(error)) throw error
    cluster.options.logger.info(`the producer goes without idempotence: ${error.message}`)
    return undefined
  }
}

function isRefusal(error: unknown): error is Error {
  if (error instanceof UnsupportedVersionError) return true
  return error instanceof BrokerError && error.errorCode === ErrorCode.CLUSTER_AUTHORIZATION_FAILED
}
