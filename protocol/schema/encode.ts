import { Writer } from '../buffer/writer.ts'
import { EncodeError, within } from '../protocol-error.ts'
import { ZERO_UUID, type Primitives, type UnknownTaggedField } from './fields.ts'
import type { Plan, Step, ValuePlan } from './plan.ts'

type Struct = Readonly<Record<string, unknown>>

export function encodeStruct(writer: Writer, plan: Plan, struct: Struct): void {
  let name = ''
  try {
    for (const step of plan.steps) {
      name = step.name
      const value = struct[name] === undefined ? step.default : struct[name]
      if (step.place === 'inline') {
        encodeValue(writer, step.value, value, step.compact, step.nullable)
      } else if (step.place === 'absent' && !step.ignorable && !isDefault(step, value)) {
        throw new EncodeError(`version ${plan.version} has no such field`)
      }
    }
    name = 'unknownTaggedFields'
    const unknown = struct[name] as readonly UnknownTaggedField[] | undefined
    if (plan.flexible) encodeTaggedFields(writer, plan, struct, unknown ?? [])
    else if (unknown !== undefined && unknown.length > 0) {
      throw new EncodeError(`version ${plan.version} has no tagged fields`)
    }
  } catch (error) {
    throw within(error, name)
  }
}

function encodeTaggedFields(
  writer: Writer,
  plan: Plan,
  struct: Struct,
  unknown: readonly UnknownTaggedField[],
): void {
  const known = plan.tagged.filter(({ name, ...step }) => {
    const value = struct[name]
    return value !== undefined && !isDefault(step, value)
  })
  writer.unsignedVarint(known.length + unknown.length)
  for (const step of known) {
    const field = new Writer(64)
    try {
      encodeValue(field, step.value, struct[step.name], step.compact, step.nullable)
    } catch (error) {
      throw within(error, step.name)
    }
    writer.unsignedVarint(step.tag)
    writer.unsignedVarint(field.length)
    writer.append(field)
  }
  for (const { tag, data } of unknown) {
    writer.unsignedVarint(tag)
    writer.unsignedVarint(data.length)
    writer.bytes(data)
  }
}

function encodeValue(
  writer: Writer,
  plan: ValuePlan,
  value: unknown,
  compact: boolean,
  nullable: boolean,
): void {
  if (value === null) {
    encodeNull(writer, plan, compact, nullable)
    return
  }
  switch (plan.kind) {
    case 'bool':
      writer.bool(value as boolean)
      break
    case 'int8':
      writer.int8(integer(value, -0x80, 0x7f))
      break
    case 'int16':
      writer.int16(integer(value, -0x8000, 0x7fff))
      break
    case 'uint16':
      writer.uint16(integer(value, 0, 0xffff))
      break
    case 'int32':
      writer.int32(integer(value, -0x80000000, 0x7fffffff))
      break
    case 'uint32':
      writer.uint32(integer(value, 0, 0xffffffff))
      break
    case 'int64':
      writer.int64(int64(value))
      break
    case 'float64':
      writer.float64(value as number)
      break
    case 'uuid':
      writer.uuid(uuid(value))
      break
    case 'string':
      encodeString(writer, value as Primitives['string'], compact)
      break
    case 'bytes':
    case 'records': {
      const bytes = value as Uint8Array
      if (compact) writer.unsignedVarint(bytes.length + 1)
      else writer.int32(bytes.length)
      writer.bytes(bytes)
      break
    }
    case 'struct':
      if (nullable) writer.int8(1)
      encodeStruct(writer, plan.plan, value as Struct)
      break
    case 'array':
      encodeArray(writer, plan.element, value as readonly unknown[], compact)
      break
  }
}

function encodeNull(writer: Writer, plan: ValuePlan, compact: boolean, nullable: boolean): void {
  if (!nullable) throw new EncodeError('it is null, which this version does not allow')
  if (plan.kind === 'struct') writer.int8(-1)
  else if (compact) writer.unsignedVarint(0)
  else if (plan.kind === 'string') writer.int16(-1)
  else writer.int32(-1)
}

function encodeString(writer: Writer, text: string, compact: boolean): void {
  const byteLength = Buffer.byteLength(text)
  // Java refuses longer strings in the compact form as well.
  if (byteLength > 0x7fff) throw new EncodeError(`it takes ${byteLength} bytes, 32767 are allowed`)
  if (compact) writer.unsignedVarint(byteLength + 1)
  else writer.int16(byteLength)
  writer.utf8(text, byteLength)
}

function encodeArray(
  writer: Writer,
  element: ValuePlan,
  array: readonly unknown[],
  compact: boolean,
): void {
  if (compact) writer.unsignedVarint(array.length + 1)
  else writer.int32(array.length)
  let index = 0
  try {
    for (; index < array.length; index++) encodeValue(writer, element, array[index], compact, false)
  } catch (error) {
    throw within(error, `[${index}]`)
  }
}

/** DataView wraps what is out of range silently: a wrong number must not become another one on the wire. */
function integer(value: unknown, min: number, max: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) {
    return value
  }
  throw new EncodeError(`${String(value)} is not an integer from ${min} to ${max}`)
}

const INT64_MIN = -(2n ** 63n)
const INT64_MAX = 2n ** 63n - 1n

function int64(value: unknown): bigint {
  if (typeof value === 'bigint' && value >= INT64_MIN && value <= INT64_MAX) return value
  throw new EncodeError(`${String(value)} is not a 64-bit bigint`)
}

function uuid(value: unknown): string {
  if (typeof value === 'string' && /^[\w-]{22}$/.test(value)) return value
  throw new EncodeError(`${String(value)} is not a uuid in 22 characters of base64url`)
}

/** Whether a value may be left out: tagged fields at their default are, as Java does. */
function isDefault(step: Pick<Step, 'value' | 'default'>, value: unknown): boolean {
  if (value === step.default) return true
  if (value === null || step.default === null) return false
  switch (step.value.kind) {
    case 'array':
    case 'bytes':
    case 'records':
      return (value as ArrayLike<unknown>).length === 0
    case 'struct': {
      const struct = value as Struct
      return (
        step.value.plan.steps.every(
          (inner) => struct[inner.name] === undefined || isDefault(inner, struct[inner.name]),
        ) && struct['unknownTaggedFields'] === undefined
      )
    }
    case 'uuid':
      return value === ZERO_UUID && step.default === ZERO_UUID
    default:
      return false
  }
}
