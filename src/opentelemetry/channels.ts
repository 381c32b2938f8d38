import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { diag } from '@opentelemetry/api'
import type { ClientEvent } from '../index.ts'

/**
 * Subscribes to channels of samsa; returns what ends that. An error of a listener, such as that of an exporter, goes
 * to OpenTelemetry's diagnostics: on the channel it would end the process.
 */
export function listen(
  listeners: Readonly<Record<string, (event: never) => void>>,
  isWanted: (clientId: string) => boolean,
): () => void {
  const ends = Object.entries(listeners).map(([name, listener]) => {
    const onEvent = (message: unknown) => {
      guarded(() => {
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

/** Calls something that must not fail a message. */
export function guarded(call: () => void): void {
  try {
    call()
  } catch (error) {
    try {
      diag.error('samsa: instrumentation failed', error)
    } catch {
      // A logger that throws changes nothing of what is instrumented.
    }
  }
}
