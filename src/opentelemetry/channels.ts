import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { diag } from '@opentelemetry/api'
import type { ClientEvent } from '../index.ts'

/**
 * Subscribes to channels of samsa. Returns a function that unsubscribes. Errors of a listener, such as those of a
 * tracer, go to OpenTelemetry's diagnostics: an error that leaves a subscriber of a channel ends the process.
 */
export function listen(
  listeners: Readonly<Record<string, (event: never) => void>>,
  isWanted: (clientId: string) => boolean,
): () => void {
  const ends = Object.entries(listeners).map(([name, listener]) => {
    const onEvent = (message: unknown) => {
      guarded(() => {
        // A channel has no type for what it publishes: each listener names that of its channel.
        if (isWanted((message as ClientEvent).clientId)) listener(message as never)
      })
    }
    subscribe(name, onEvent)
    return () => void unsubscribe(name, onEvent)
  })
  return () => {
    for (const end of ends) end()
  }
}

/** Calls a function whose errors must not fail a message. */
export function guarded(call: () => void): void {
  try {
    call()
  } catch (error) {
    try {
      diag.error('samsa: instrumentation failed', error)
    } catch {
      // An error of the diagnostic logger must not fail a message either.
    }
  }
}
