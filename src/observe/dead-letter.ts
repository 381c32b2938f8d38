import { deadLetterChannel, type DeadLetterEvent } from './channels.ts'
import type { ClientMetrics } from './metrics/client-metrics.ts'

/** The metrics of the client that a producer belongs to. */
const ofProducers = new WeakMap<object, ClientMetrics>()

/** Called for each producer of a client. */
export function rememberProducer(producer: object, metrics: ClientMetrics): void {
  ofProducers.set(producer, metrics)
}

/** Counts a dead letter, and reports it to the diagnostics channel; not for producers that are not samsa's. */
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
