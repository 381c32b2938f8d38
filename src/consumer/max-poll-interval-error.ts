import { KafkaError } from '../errors.ts'

/**
 * The application has been processing what it received for longer than `maxPollIntervalMs`, without requesting more. A
 * member of a consumer group keeps its partitions, which no other member reads in the meantime. A member of a share
 * group has left the group, so that others get its partitions; it joins again when the application requests messages.
 */
export class MaxPollIntervalError extends KafkaError {
  override readonly name = 'MaxPollIntervalError'

  constructor(groupId: string, maxPollIntervalMs: number, effect: string) {
    const what = `the application requested no message for longer than maxPollIntervalMs (${maxPollIntervalMs})`
    const todo = `make the handler faster or the interval longer: ${effect}`
    super('MAX_POLL_INTERVAL_EXCEEDED', `in group '${groupId}' ${what}; ${todo}`, true)
  }
}
