import type { Reader } from '../buffer/reader.ts'
import { Reader as BoundedReader } from '../buffer/reader.ts'
import { ProtocolError, withStep } from '../protocol-error.ts'
import type { UnknownTaggedField } from './fields.ts'
import type { ArrayPlan, Plan, ValuePlan } from './plan.ts'

type Struct = Record<string, unknown>

export function decodeStruct(reader: Reader, plan: Plan): Struct {
  const struct: Struct = { ...plan.defaults }
  let name = ''
  try {
    for (const step of plan.inline) {
      name = step.name
      struct[name] = decodeValue(reader, step.value, step.compact, step.nullable)
    }
    name = 'tagged fields'
    if (plan.flexible) decodeTaggedFields(reader, plan, struct)
  } catch (error) {
    throw withStep(error, name)
  }
  return struct
}

function decodeTaggedFields(reader: Reader, plan: Plan, struct: Struct): void {
  const count = reader.unsignedVarint()
  let unknown: UnknownTaggedField[] | undefined
  for (let i = 0; i < count; i++) {
    const tag = reader.unsignedVarint()
    const length = reader.unsignedVarint()
    const step = plan.tagged.find((candidate) => candidate.tag === tag)
    const start = reader.skip(length)
    if (step === undefined) {
      if (reader.dropsUnknownFields) continue
      unknown ??= []
      unknown.push({ tag, data: reader.buffer.subarray(start, start + length) })
      continue
    }
    const field = new BoundedReader(reader.buffer, start, start + length)
    field.dropsUnknownFields = reader.dropsUnknownFields
    try {
      struct[step.name] = decodeValue(field, step.value, step.compact, step.nullable)
      if (field.remaining > 0) {
        throw new ProtocolError(`${field.remaining} bytes follow the last field`, field.offset)
      }
    } catch (error) {
      throw withStep(error, step.name)
    }
  }
  if (unknown !== undefined) struct['unknownTaggedFields'] = unknown
}

function decodeValue(
  reader: Reader,
  value: ValuePlan,
  compact: boolean,
  nullable: boolean,
): unknown {
  switch (value.kind) {
    case 'bool':
      return reader.bool()
    case 'int8':
      return reader.int8()
    case 'int16':
      return reader.int16()
    case 'uint16':
      return reader.uint16()
    case 'int32':
      return reader.int32()
    case 'uint32':
      return reader.uint32()
    case 'int64':
      return reader.int64()
    case 'float64':
      return reader.float64()
    case 'uuid':
      return reader.uuid()
    case 'string': {
      const length = countOf(
        reader,
        compact ? reader.unsignedVarint() - 1 : reader.int16(),
        1,
        'length',
      )
      return length === undefined ? nullOr(reader, nullable) : reader.utf8(length)
    }
    case 'bytes':
    case 'records': {
      const length = countOf(
        reader,
        compact ? reader.unsignedVarint() - 1 : reader.int32(),
        1,
        'length',
      )
      return length === undefined ? nullOr(reader, nullable) : reader.bytes(length)
    }
    case 'struct':
      // A nullable struct outside the tagged fields begins with a byte: -1 for null.
      if (nullable && reader.int8() < 0) return null
      return decodeStruct(reader, value.plan)
    case 'array': {
      const count = countOf(
        reader,
        compact ? reader.unsignedVarint() - 1 : reader.int32(),
        value.elementMinBytes,
        'count',
      )
      return count === undefined
        ? nullOr(reader, nullable)
        : decodeArray(reader, value, count, compact)
    }
  }
}

function decodeArray(
  reader: Reader,
  { element, read }: ArrayPlan,
  count: number,
  compact: boolean,
): unknown[] {
  const array: unknown[] = []
  const isFast = read !== undefined && reader.dropsUnknownFields
  try {
    while (array.length < count) {
      const struct = isFast ? readFast(reader, read) : undefined
      array.push(struct ?? decodeValue(reader, element, compact, false))
    }
  } catch (error) {
    throw withStep(error, `[${array.length}]`)
  }
  return array
}

/** Undefined, with the reader at the same position as before, if the struct cannot be read. */
function readFast(reader: Reader, read: (reader: Reader) => unknown): unknown {
  const start = reader.offset
  try {
    return read(reader)
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    reader.offset = start
    return undefined
  }
}

/** A count, checked against the remaining bytes; undefined for null. */
function countOf(
  reader: Reader,
  count: number,
  elementBytes: number,
  what: string,
): number | undefined {
  if (count === -1) return undefined
  if (count < 0) throw new ProtocolError(`its ${what} of ${count} is negative`, reader.offset)
  if (count * elementBytes > reader.remaining) {
    throw new ProtocolError(
      `its ${what} is ${count}, but only ${reader.remaining} bytes are left`,
      reader.offset,
    )
  }
  return count
}

function nullOr(reader: Reader, nullable: boolean): null {
  if (nullable) return null
  throw new ProtocolError('it is null, which this version does not allow', reader.offset)
}
