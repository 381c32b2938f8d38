import { deadLetterChannel, type DeadLetterEvent } from './channels.ts'
import type { ClientMetrics } from './metrics/client-metrics.ts'

/** The metrics of a producer's client. `withDeadLetters` has no other access to them from a public producer. */
const ofProducers = new WeakMap<object, ClientMetrics>()

/** Each producer of a client calls this when it is created. */
export function rememberProducer(producer: object, metrics: ClientMetrics): void {
  ofProducers.set(producer, metrics)
}

/** Counts a dead letter and publishes its event. Does nothing for a producer that is not samsa's. */
export function reportDeadLetter(
  producer: object,
  letter: Omit<DeadLetterEvent, 'clientId'>,
): void {
  const metrics = ofProducers.get(producer)
  if (metrics === undefined) return
  metrics.deadLetter(letter.topic)
  if (!deadLetterChannel.hasSubscribers) return
  const event: DeadLetterEvent = { clientId: metrics.clientId, ...letter }
  deadLetterChannel.publish(event)
}
