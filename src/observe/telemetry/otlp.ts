/**
 * Encodes the part of OTLP's MetricsData that a client pushes to its broker (KIP-714): gauges and sums of doubles with
 * text attributes, in protobuf. The field numbers are those of opentelemetry/proto/metrics/v1/metrics.proto.
 */

/** A metric with one value. */
export interface TelemetryMetric {
  /** Kafka's name, such as `org.apache.kafka.producer.connection.creation.rate`. */
  readonly name: string
  /** A `sum` counts since the client was created, or since the last push if the broker requests deltas. */
  readonly kind: 'gauge' | 'sum'
  readonly value: number
  /** The labels of the value, such as `node_id`. Default: none. */
  readonly attributes?: Readonly<Record<string, string>>
}

export interface TelemetryPayload {
  readonly metrics: readonly TelemetryMetric[]
  /** What sums count from, in milliseconds since 1970. */
  readonly since: number
  /** When the values were read, in milliseconds since 1970. */
  readonly time: number
  /** Whether sums count since the last push rather than since the client was created. */
  readonly isDelta: boolean
  /** What identifies the client, such as `client_id`. */
  readonly attributes: Readonly<Record<string, string>>
}

const DELTA = 1
const CUMULATIVE = 2
const VARINT = 0
const FIXED_64 = 1
const BYTES = 2

export function encodeMetrics(payload: TelemetryPayload): Buffer {
  const resource = message(...attributesOf(1, payload.attributes))
  const metrics = payload.metrics.map((metric) => bytes(2, metricOf(metric, payload)))
  return message(bytes(1, message(bytes(1, resource), bytes(2, message(...metrics)))))
}

function attributesOf(field: number, attributes: Readonly<Record<string, string>>): Buffer[] {
  return Object.entries(attributes).map(([key, value]) =>
    bytes(field, message(text(1, key), bytes(2, message(text(1, value))))),
  )
}

function metricOf(
  { name, kind, value, attributes = {} }: TelemetryMetric,
  payload: TelemetryPayload,
): Buffer {
  const { since, time, isDelta } = payload
  const point = message(
    ...(kind === 'sum' ? [nanoseconds(2, since)] : []),
    nanoseconds(3, time),
    double(4, value),
    ...attributesOf(7, attributes),
  )
  if (kind === 'gauge') return message(text(1, name), bytes(5, message(bytes(1, point))))
  const sum = message(bytes(1, point), varint(2, isDelta ? DELTA : CUMULATIVE), varint(3, 1))
  return message(text(1, name), bytes(7, sum))
}

function message(...fields: readonly Buffer[]): Buffer {
  return Buffer.concat(fields)
}

function bytes(field: number, value: Buffer): Buffer {
  return Buffer.concat([tag(field, BYTES), number(value.length), value])
}

function text(field: number, value: string): Buffer {
  return bytes(field, Buffer.from(value))
}

function varint(field: number, value: number): Buffer {
  return Buffer.concat([tag(field, VARINT), number(value)])
}

function double(field: number, value: number): Buffer {
  const buffer = Buffer.allocUnsafe(8)
  buffer.writeDoubleLE(value)
  return Buffer.concat([tag(field, FIXED_64), buffer])
}

function nanoseconds(field: number, milliseconds: number): Buffer {
  const buffer = Buffer.allocUnsafe(8)
  buffer.writeBigUInt64LE(BigInt(Math.round(milliseconds)) * 1_000_000n)
  return Buffer.concat([tag(field, FIXED_64), buffer])
}

function tag(field: number, type: number): Buffer {
  return number((field << 3) | type)
}

/** Encodes an integer from 0 to 2^31 − 1 as a varint. */
function number(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80)
  bytes.push(rest)
  return Buffer.from(bytes)
}
