import type { KafkaError } from '../errors.ts'
import { retryUnlessUnknown } from './items.ts'

/**
 * Whether a change of topics is sent again. A controller rejects changes that exceed its quota
 * (`controller_mutation_rate`, KIP-599); the connection waits for the throttle time of the response
 * before the next attempt.
 */
export function retryTopics(retryOnQuotaViolation: boolean): (error: KafkaError) => boolean {
  return (error) =>
    retryUnlessUnknown(error) &&
    (retryOnQuotaViolation || error.code !== 'THROTTLING_QUOTA_EXCEEDED')
}
