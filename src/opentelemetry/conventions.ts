/**
 * The names of OpenTelemetry's semantic conventions for messaging, version 1.44.0 (status: development). Tests compare
 * them, and all that is exported, with test/unit/opentelemetry/conventions-1.44.0.json: the model of this version.
 */
import type { Attributes } from '@opentelemetry/api'

export const CONVENTIONS_VERSION = '1.44.0'

export const ATTRIBUTES = {
  system: 'messaging.system',
  operationName: 'messaging.operation.name',
  operationType: 'messaging.operation.type',
  destination: 'messaging.destination.name',
  partition: 'messaging.destination.partition.id',
  group: 'messaging.consumer.group.name',
  clientId: 'messaging.client.id',
  batchCount: 'messaging.batch.message_count',
  clusterId: 'messaging.kafka.cluster.id',
  offset: 'messaging.kafka.offset',
  key: 'messaging.kafka.message.key',
  tombstone: 'messaging.kafka.message.tombstone',
  errorType: 'error.type',
  serverAddress: 'server.address',
  serverPort: 'server.port',
} as const

export const INSTRUMENTS = {
  operationDuration: 'messaging.client.operation.duration',
  sentMessages: 'messaging.client.sent.messages',
  consumedMessages: 'messaging.client.consumed.messages',
  processDuration: 'messaging.process.duration',
} as const

/** The bucket boundaries that the conventions recommend for durations, in seconds. */
export const DURATION_BUCKETS = [
  0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
]

/** The operations: Kafka's name for each, and its type in the conventions. */
export const OPERATIONS = {
  send: { name: 'send', type: 'send' },
  poll: { name: 'poll', type: 'receive' },
  process: { name: 'process', type: 'process' },
  commit: { name: 'commit', type: 'settle' },
  acknowledge: { name: 'acknowledge', type: 'settle' },
} as const

export type Operation = keyof typeof OPERATIONS

/** Returns the attributes of an operation. */
export function operationAttributes(operation: Operation): Record<string, string> {
  const { name, type } = OPERATIONS[operation]
  return {
    [ATTRIBUTES.system]: 'kafka',
    [ATTRIBUTES.operationName]: name,
    [ATTRIBUTES.operationType]: type,
  }
}

/**
 * Returns the attributes that all spans and values of clients have. The caller adds others one by one: JavaScript
 * engines look up the properties of copied objects by hashing, and a span then takes four times as long.
 */
export function clientAttributes(
  operation: Operation,
  clientId: string | undefined,
  group: string | undefined,
): Attributes {
  const attributes: Attributes = operationAttributes(operation)
  if (clientId !== undefined) attributes[ATTRIBUTES.clientId] = clientId
  if (group !== undefined) attributes[ATTRIBUTES.group] = group
  return attributes
}

/** Returns the attributes of a broker's `host:port`. An IPv6 address has brackets there, and none in the attribute. */
export function serverAttributes(broker: string): Record<string, string | number> {
  const colon = broker.lastIndexOf(':')
  return {
    [ATTRIBUTES.serverAddress]: broker.slice(0, colon).replace(/^\[(.*)\]$/, '$1'),
    [ATTRIBUTES.serverPort]: Number(broker.slice(colon + 1)),
  }
}

/** Returns Kafka's name of an error, or the name of its class. */
export function errorType(error: unknown): string {
  if (typeof error === 'object' && error !== null) {
    if ('code' in error && typeof error.code === 'string') return error.code
    if ('name' in error && typeof error.name === 'string') return error.name
  }
  return '_OTHER'
}
