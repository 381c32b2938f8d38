import type { Field, FieldType, Fields } from '../../../protocol/schema/fields.ts'
import { isDeepStrictEqual } from 'node:util'

/** Kafka's JSON, with integers too large for a double kept as text. */
export function parseKafkaJson(text: string): unknown {
  const exact = text.replace(
    /("(?:[^"\\]|\\.)*")|(?<![\d.eE+-])(-?\d{16,})(?![\d.eE])/g,
    (_match, quoted?: string, integer?: string) => quoted ?? `"${integer}"`,
  )
  return JSON.parse(exact)
}

/**
 * Where a decoded struct says something else than Kafka's JSON of it; nothing when they agree.
 * Kafka leaves out of its JSON what the version lacks, and tagged fields at their default.
 */
export function disagreement(
  fields: Fields,
  decoded: unknown,
  json: unknown,
  path = '',
): string | undefined {
  if (!isObject(decoded) || !isObject(json)) return `${path} is no struct`
  for (const [name, field] of Object.entries(fields)) {
    const found = fieldDisagreement(field, name, decoded[name], json, `${path}.${name}`)
    if (found !== undefined) return found
  }
  const known = new Set(Object.keys(fields).flatMap((name) => [name, sizeName(name)]))
  const extra = Object.keys(json).find((name) => !known.has(name))
  return extra === undefined ? undefined : `${path}.${extra} is not declared`
}

function fieldDisagreement(
  field: Field,
  name: string,
  ours: unknown,
  json: Record<string, unknown>,
  path: string,
): string | undefined {
  const isRecords = field.type.kind === 'primitive' && field.type.name === 'records'
  if (isRecords && sizeName(name) in json) {
    const size = ours instanceof Uint8Array ? ours.length : undefined
    return size === json[sizeName(name)] ? undefined : `${path} has ${size} bytes`
  }
  if (!(name in json)) {
    return isDeepStrictEqual(ours, field.default) ? undefined : `${path} is not at its default`
  }
  return valueDisagreement(field.type, ours, json[name], path)
}

function valueDisagreement(
  type: FieldType,
  ours: unknown,
  json: unknown,
  path: string,
): string | undefined {
  if (ours === null || json === null) return ours === json ? undefined : `${path}: one is null`
  if (type.kind === 'struct') return disagreement(type.fields, ours, json, path)
  if (type.kind === 'array') {
    if (!Array.isArray(ours) || !Array.isArray(json) || ours.length !== json.length) {
      return `${path} has another count`
    }
    const { element } = type
    const elementType: FieldType =
      typeof element === 'string'
        ? { kind: 'primitive', name: element }
        : { kind: 'struct', fields: element }
    for (const [index, value] of ours.entries()) {
      const found = valueDisagreement(elementType, value, json[index], `${path}[${index}]`)
      if (found !== undefined) return found
    }
    return undefined
  }
  const text = asKafkaText(ours)
  // A large integer comes as text, a small one as a number.
  const said = typeof json === 'number' && typeof ours === 'bigint' ? json.toString() : json
  if (Object.is(text, said)) return undefined
  return `${path} is ${JSON.stringify(text)}, Kafka says ${JSON.stringify(said)}`
}

function asKafkaText(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  return value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value
}

/** Kafka's JSON has only the size of records. */
function sizeName(name: string): string {
  return `${name}SizeInBytes`
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
