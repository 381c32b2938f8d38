/** Decodes the part of OTLP's MetricsData that clients push (KIP-714): gauges and sums, in protobuf. */
import { Refused } from '../refused.ts'

/** A value that a client pushed. */
export interface PushedMetric {
  /** Kafka's name, such as `org.apache.kafka.producer.record.send.total`. */
  readonly name: string
  /** A `sum` counts since the client's last push. */
  readonly kind: 'gauge' | 'sum'
  /** The value, in the unit of Kafka's metric. */
  readonly value: number
  /** The labels of the value, such as `node_id`. */
  readonly attributes: Readonly<Record<string, string>>
}

interface Field {
  readonly number: number
  /** The bytes of a message or text, or of a fixed 64-bit number; empty for a varint. */
  readonly bytes: Buffer
}

const VARINT = 0
const FIXED_64 = 1
const BYTES = 2
const FIXED_32 = 5

/** Throws Refused with INVALID_RECORD. */
export function decodeMetrics(data: Buffer): PushedMetric[] {
  return inEach(data, 1, (resourceMetrics) =>
    inEach(resourceMetrics, 2, (scopeMetrics) => inEach(scopeMetrics, 2, metricsOf)),
  )
}

function metricsOf(metric: Buffer): PushedMetric[] {
  const fields = fieldsOf(metric)
  const name = fields.find(({ number }) => number === 1)?.bytes.toString() ?? ''
  const kinds = { 5: 'gauge', 7: 'sum' } as const
  return fields.flatMap(({ number, bytes }) => {
    if (number !== 5 && number !== 7) return []
    return inEach(bytes, 1, (point) => [{ name, kind: kinds[number], ...pointOf(point) }])
  })
}

function pointOf(point: Buffer): Pick<PushedMetric, 'value' | 'attributes'> {
  let value = 0
  const attributes: Record<string, string> = {}
  for (const { number, bytes } of fieldsOf(point)) {
    if (number === 4) value = sized(bytes).readDoubleLE()
    else if (number === 6) value = Number(sized(bytes).readBigInt64LE())
    else if (number === 7) {
      const fields = fieldsOf(bytes)
      const key = fields.find((field) => field.number === 1)?.bytes.toString() ?? ''
      const text = fields.find((field) => field.number === 2)?.bytes ?? Buffer.alloc(0)
      attributes[key] =
        fieldsOf(text)
          .find((field) => field.number === 1)
          ?.bytes.toString() ?? ''
    }
  }
  return { value, attributes }
}

function sized(bytes: Buffer): Buffer {
  if (bytes.length === 8) return bytes
  throw malformed()
}

/** Decodes each message in a repeated field. */
function inEach<T>(message: Buffer, field: number, decode: (bytes: Buffer) => T[]): T[] {
  return fieldsOf(message).flatMap(({ number, bytes }) => (number === field ? decode(bytes) : []))
}

function fieldsOf(message: Buffer): Field[] {
  const fields: Field[] = []
  let at = 0
  const varint = () => {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = message[at++]
      if (byte === undefined) throw malformed()
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
    }
  }
  while (at < message.length) {
    const tag = varint()
    const type = tag % 8
    let length = 0
    if (type === VARINT) varint()
    else if (type === FIXED_64) length = 8
    else if (type === FIXED_32) length = 4
    else if (type === BYTES) length = varint()
    else throw malformed()
    if (at + length > message.length) throw malformed()
    fields.push({ number: Math.floor(tag / 8), bytes: message.subarray(at, at + length) })
    at += length
  }
  return fields
}

function malformed(): Refused {
  return new Refused('INVALID_RECORD', 'The metrics are not in the format of OTLP.')
}
