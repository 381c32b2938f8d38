import { ErrorCode } from '../../protocol/errors.ts'
import { BrokerError, KafkaError } from '../errors.ts'
import {
  nameOf,
  type TopicPartition,
  type TopicPartitionOffset,
} from '../consumer/topic-partition.ts'

/** A message of a share group was acknowledged twice: only the first acknowledgement counts. */
export class AlreadyAcknowledgedError extends KafkaError {
  override readonly name = 'AlreadyAcknowledgedError'
  /** The offset of the message. */
  readonly offset: number

  constructor({ topic, partition, offset }: TopicPartitionOffset) {
    const message = `the message at ${topic}-${partition} offset ${offset} is already acknowledged: a message can be acknowledged only once`
    super('ALREADY_ACKNOWLEDGED', message, false, { topic, partition })
    this.offset = offset
  }
}

/** Returns the error of acknowledgements that a broker has refused. */
export function notAcknowledged(
  { topic, partition }: TopicPartition,
  errorCode: number,
  detail: string | null,
): BrokerError {
  const what = `acknowledging messages of ${nameOf({ topic, partition })}`
  return new BrokerError(errorCode, what, { topic, partition }, detail)
}

/**
 * True if the broker refuses renewals because the group has them disabled (share.renew.acknowledge.enable). Kafka 4.4
 * has the same code for it as for a lost lock: only the text differs.
 */
export function areRenewalsDisabled(errorCode: number, detail: string | null): boolean {
  return (
    errorCode === ErrorCode.INVALID_RECORD_STATE &&
    detail?.startsWith('Renewing acquisition locks is not enabled') === true
  )
}

/** Returns the error of an acknowledgement whose record is no longer this member's. */
export function lockLost(where: TopicPartition, reason: string): BrokerError {
  return notAcknowledged(where, ErrorCode.INVALID_RECORD_STATE, reason)
}
