import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { RequestTimeoutError, type KafkaClient, type RequestEvent } from '../../index.ts'
import type * as kafkajs from '../types/events.ts'

/** Emits the events of requests as those of a producer, consumer or admin client. */
export interface NetworkListener {
  request(event: kafkajs.RequestEvent['payload']): void
  requestTimeout(event: kafkajs.RequestTimeoutEvent['payload']): void
}

/** The names of APIs in kafkajs that differ from Kafka's. */
const OLD_NAMES: Readonly<Record<string, string>> = { FindCoordinator: 'GroupCoordinator' }

/** The `onClient` of a session: calls the listener for the requests of its client. */
export function networkWatcher(
  listener: NetworkListener,
): (client: KafkaClient | undefined) => void {
  let stop: (() => void) | undefined
  return (client) => {
    stop?.()
    stop = client && watchNetwork(client, listener)
  }
}

/**
 * Calls the listener for the requests of a client, and `onRequest` with samsa's own events, until the returned function
 * is called.
 */
export function watchNetwork(
  client: KafkaClient,
  listener: NetworkListener,
  onRequest?: (event: RequestEvent) => void,
): () => void {
  const onMessage = (message: unknown): void => {
    const event = message as RequestEvent
    if (event.instanceId !== client.instanceId) return
    onRequest?.(event)
    const { broker, clientId, correlationId, apiKey, error } = event
    const duration = Math.round(event.durationMs)
    const sentAt = Date.now() - duration
    const common = {
      broker,
      clientId,
      correlationId,
      createdAt: sentAt,
      sentAt,
      pendingDuration: 0,
      apiName: OLD_NAMES[event.api] ?? event.api,
      apiKey,
      apiVersion: event.version,
    }
    if (error === undefined) listener.request({ ...common, size: event.responseBytes, duration })
    else if (error instanceof RequestTimeoutError) listener.requestTimeout(common)
  }
  subscribe('samsa:request', onMessage)
  return () => unsubscribe('samsa:request', onMessage)
}
