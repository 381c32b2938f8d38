import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { RequestTimeoutError, type KafkaClient, type RequestEvent } from '../../index.ts'
import type { Emitter } from '../emitter.ts'
import type * as kafkajs from '../types/events.ts'

/** The events of requests of a producer, consumer or admin client, and how to emit them. */
export interface NetworkEvents<Events extends object> {
  readonly emitter: Emitter<Events>
  readonly names: {
    readonly REQUEST: keyof Events & string
    readonly REQUEST_TIMEOUT: keyof Events & string
  }
  request(event: kafkajs.RequestEvent['payload']): void
  requestTimeout(event: kafkajs.RequestTimeoutEvent['payload']): void
}

/** The names of APIs in kafkajs that differ from Kafka's. */
const OLD_NAMES: Readonly<Record<string, string>> = { FindCoordinator: 'GroupCoordinator' }

/**
 * Emits the events of the requests of a client until the returned function is called. Without listeners it does
 * nothing, because a subscriber costs each request of the process.
 */
export function watchNetwork<Events extends object>(
  client: KafkaClient,
  events: NetworkEvents<Events>,
): () => void {
  const { emitter, names } = events
  return emitter.whileListening([names.REQUEST, names.REQUEST_TIMEOUT], () =>
    onRequests(client, (event) => emitRequest(events, event)),
  )
}

/** Calls `onRequest` after each request of the client, until the returned function is called. */
export function onRequests(
  client: KafkaClient,
  onRequest: (event: RequestEvent) => void,
): () => void {
  const onMessage = (message: unknown): void => {
    // A channel has no type for what it publishes.
    const event = message as RequestEvent
    if (event.instanceId === client.instanceId) onRequest(event)
  }
  subscribe('samsa:request', onMessage)
  return () => unsubscribe('samsa:request', onMessage)
}

function emitRequest<Events extends object>(
  { emitter, names, request, requestTimeout }: NetworkEvents<Events>,
  event: RequestEvent,
): void {
  const { error } = event
  if (error === undefined) {
    if (!emitter.has(names.REQUEST)) return
    const duration = Math.round(event.durationMs)
    request({ ...common(event, duration), size: event.responseBytes, duration })
  } else if (error instanceof RequestTimeoutError && emitter.has(names.REQUEST_TIMEOUT)) {
    requestTimeout(common(event, Math.round(event.durationMs)))
  }
}

/** The fields of both events. */
function common(
  { api, apiKey, version, broker, clientId, correlationId }: RequestEvent,
  duration: number,
) {
  const sentAt = Date.now() - duration
  return {
    broker,
    clientId,
    correlationId,
    createdAt: sentAt,
    sentAt,
    pendingDuration: 0,
    apiName: OLD_NAMES[api] ?? api,
    apiKey,
    apiVersion: version,
  }
}
