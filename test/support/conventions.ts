import type { Attributes } from '@opentelemetry/api'
import { readFileSync } from 'node:fs'

/** The model of OpenTelemetry's semantic conventions for messaging, at the version that samsa follows. */
export interface Conventions {
  readonly version: string
  readonly attributes: Readonly<Record<string, string>>
  readonly operationTypes: readonly string[]
  readonly systems: readonly string[]
  readonly metrics: Readonly<
    Record<
      string,
      {
        readonly instrument: string
        readonly unit: string
        readonly attributes: readonly string[]
      }
    >
  >
  readonly spans: Readonly<
    Record<string, { readonly kind: string; readonly attributes: readonly string[] }>
  >
}

const FILE = 'test/unit/opentelemetry/conventions-1.44.0.json'
export const CONVENTIONS = JSON.parse(readFileSync(FILE, 'utf8')) as Conventions

/** The span of the model for each type of operation and kind. */
const SPANS: Readonly<Record<string, string>> = {
  'send PRODUCER': 'span.messaging.kafka.send.producer',
  'send CLIENT': 'span.messaging.kafka.send.client',
  'receive CLIENT': 'span.messaging.kafka.receive.client',
  'process CONSUMER': 'span.messaging.kafka.process.consumer',
  'settle CLIENT': 'span.messaging.kafka.settle.client',
}

/** Returns what a span has that the model does not. */
export function unknownInSpan(kind: string, name: string, attributes: Attributes): string[] {
  const operation = String(attributes['messaging.operation.type'])
  const span = CONVENTIONS.spans[SPANS[`${operation} ${kind}`] ?? '']
  if (span === undefined) return [`${name}: no ${kind} span of the type ${operation}`]
  const unknown = Object.keys(attributes).filter((key) => !span.attributes.includes(key))
  const wrong = Object.entries(attributes)
    .filter(([key, value]) => typeOf(value) !== (CONVENTIONS.attributes[key] ?? typeOf(value)))
    .map(([key]) => `type of ${key}`)
  const destination = attributes['messaging.destination.name']
  const expected = [attributes['messaging.operation.name'], destination].filter(Boolean).join(' ')
  return [...unknown, ...wrong, ...(name === expected ? [] : [`name ${name}`])]
}

function typeOf(value: unknown): string {
  return typeof value === 'number' ? 'int' : typeof value
}

/** Returns the attributes of a metric that are neither in the model nor in samsa's own namespace. */
export function unknownInMetric(attributes: Attributes): string[] {
  return Object.keys(attributes).filter(
    (key) => CONVENTIONS.attributes[key] === undefined && !key.startsWith('samsa.'),
  )
}
