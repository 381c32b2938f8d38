import { subscribe } from 'node:diagnostics_channel'
import type { RequestEvent } from '../../../../src/index.ts'
import type { LineWriter } from './lines.ts'

/** Of requests that are sent all the time, only those are written down that took longer than usual, or failed. */
const SLOW_MS = 200
const CHANNELS = [
  'connect',
  'close',
  'retry',
  'position',
  'rebalance',
  'heartbeat',
  'commit',
  'fetch',
]

/** Writes down what the client does inside, for a time line of a recovery: see docs/reliability.md. */
export function traceEvents(lines: LineWriter): void {
  for (const name of CHANNELS) {
    subscribe(`samsa:${name}`, (event) => note(lines, name, event))
  }
  subscribe('samsa:request', (event) => {
    const { api, durationMs, error } = event as RequestEvent
    const isFrequent = api === 'Fetch' || api === 'Produce'
    if (isFrequent && error === undefined && durationMs < SLOW_MS) return
    note(lines, 'request', event)
  })
}

function note(lines: LineWriter, name: string, event: unknown): void {
  const plain = (_key: string, value: unknown) => (value instanceof Error ? String(value) : value)
  lines.write({ what: 'note', text: `${name} ${JSON.stringify(event, plain)}` })
}
