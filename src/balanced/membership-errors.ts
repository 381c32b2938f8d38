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

/**
 * The application has been processing what it received for longer than `maxPollIntervalMs`, without requesting more.
 * The member keeps its partitions, which no other member reads in the meantime.
 */
export class MaxPollIntervalError extends KafkaError {
  override readonly name = 'MaxPollIntervalError'

  constructor(groupId: string, maxPollIntervalMs: number) {
    const what = `the application requested no message for longer than maxPollIntervalMs (${maxPollIntervalMs})`
    const todo = 'make the handler faster or the interval longer: the member blocks its partitions'
    super('MAX_POLL_INTERVAL_EXCEEDED', `in group '${groupId}' ${what}; ${todo}`, true)
  }
}
