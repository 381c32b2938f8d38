import { KafkaError } from '../errors.ts'

/**
 * The group no longer counts this member, or its generation: its partitions may have other owners. `code` is Kafka's:
 * UNKNOWN_MEMBER_ID after a session that expired, ILLEGAL_GENERATION after a rebalance without the member. It joins
 * again by itself.
 */
export class MembershipLostError extends KafkaError {
  override readonly name = 'MembershipLostError'

  constructor(groupId: string, cause: KafkaError) {
    const reason = `lost its place in group '${groupId}' and joins it again: ${cause.message}`
    super(cause.code, reason, true, { broker: cause.broker, cause })
  }
}
