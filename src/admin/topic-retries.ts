import type { KafkaError } from '../errors.ts'
import { retryUnlessUnknown } from './items.ts'

/**
 * Whether a change of topics is sent again. A controller refuses more changes than its quota allows
 * (`controller_mutation_rate`, KIP-599); the connection waits as long as it says before the next attempt.
 */
export function retryTopics(retryOnQuotaViolation: boolean): (error: KafkaError) => boolean {
  return (error) =>
    retryUnlessUnknown(error) &&
    (retryOnQuotaViolation || error.code !== 'THROTTLING_QUOTA_EXCEEDED')
}
