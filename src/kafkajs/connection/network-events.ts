import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { RequestTimeoutError, type KafkaClient, type RequestEvent } from '../../index.ts'

/** What the events of a request have in common in producers, consumers and admin clients. */
export interface NetworkListener {
  request(event: {
    readonly broker: string
    readonly clientId: string
    readonly correlationId: number
    readonly size: number
    readonly createdAt: number
    readonly sentAt: number
    readonly pendingDuration: number
    readonly duration: number
    readonly apiName: string
    readonly apiKey: number
    readonly apiVersion: number
  }): void
  requestTimeout(event: {
    readonly broker: string
    readonly clientId: string
    readonly correlationId: number
    readonly createdAt: number
    readonly sentAt: number
    readonly pendingDuration: number
    readonly apiName: string
    readonly apiKey: number
    readonly apiVersion: number
  }): void
}

/** kafkajs's names of APIs that Kafka has given another. */
const OLD_NAMES: Readonly<Record<string, string>> = { FindCoordinator: 'GroupCoordinator' }

/** Tells a listener of the requests of a client, until the function that is returned is called. */
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
