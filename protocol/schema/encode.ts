import { Writer } from '../buffer/writer.ts'
import { EncodeError, withStep } from '../protocol-error.ts'
import { ZERO_UUID, type UnknownTaggedField } from './fields.ts'
import type { Plan, Step, ValuePlan } from './plan.ts'

type Struct = Readonly<Record<string, unknown>> & {
  readonly unknownTaggedFields?: readonly UnknownTaggedField[]
}

const NONE: readonly UnknownTaggedField[] = []

export function encodeStruct(writer: Writer, plan: Plan, struct: Struct): void {
  let name = ''
  try {
    for (const step of plan.steps) {
      name = step.name
      const value = struct[name] === undefined ? step.default : struct[name]
      if (step.place === 'inline') {
        encodeValue(writer, step.value, value, step.compact, step.nullable)
      } else if (step.place === 'absent' && !step.ignorable && !isDefault(step, value)) {
        throw new EncodeError(`version ${plan.version} does not have this field`)
      }
    }
    name = 'unknownTaggedFields'
    const unknown = struct.unknownTaggedFields
    if (plan.flexible) encodeTaggedFields(writer, plan, struct, unknown ?? NONE)
    else if (unknown !== undefined && unknown.length > 0) {
      throw new EncodeError(`version ${plan.version} has no tagged fields`)
    }
  } catch (error) {
    throw withStep(error, name)
  }
}

/**
 * In ascending order of their tags, including unknown ones: KIP-482 requires it, and readers may
 * rely on it.
 */
function encodeTaggedFields(
  writer: Writer,
  plan: Plan,
  struct: Struct,
  unknown: readonly UnknownTaggedField[],
): void {
  if (plan.tagged.length === 0 && unknown.length === 0) {
    writer.unsignedVarint(0)
    return
  }
  const known = plan.tagged.filter((step) => {
    const value = struct[step.name]
    return value !== undefined && !isDefault(step, value)
  })
  writer.unsignedVarint(known.length + unknown.length)
  let next = 0
  let lastTag = -1
  const writeUnknownBelow = (tag: number) => {
    for (; next < unknown.length && unknown[next]!.tag < tag; next++) {
      const field = unknown[next]!
      lastTag = rising(field.tag, lastTag)
      writer.unsignedVarint(field.tag)
      writer.unsignedVarint(field.data.length)
      writer.bytes(field.data)
    }
  }
  for (const step of known) {
    writeUnknownBelow(step.tag)
    lastTag = rising(step.tag, lastTag)
    encodeKnownTag(writer, step, struct[step.name])
  }
  writeUnknownBelow(Infinity)
}

function encodeKnownTag(writer: Writer, step: Step, value: unknown): void {
  // Its length comes first but is known last, so it gets a writer of its own.
  const field = new Writer(64)
  try {
    encodeValue(field, step.value, value, step.compact, step.nullable)
  } catch (error) {
    throw withStep(error, step.name)
  }
  writer.unsignedVarint(step.tag)
  writer.unsignedVarint(field.length)
  writer.append(field)
}

function rising(tag: number, last: number): number {
  if (integer(tag, 0, 0xffffffff) > last) return tag
  throw new EncodeError(`tag ${tag} comes after tag ${last}`)
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
      check(typeof value === 'boolean', value, 'a boolean')
      writer.bool(value)
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
      check(typeof value === 'number', value, 'a number')
      writer.float64(value)
      break
    case 'uuid':
      writer.uuid(uuid(value))
      break
    case 'string':
      check(typeof value === 'string', value, 'a string')
      encodeString(writer, value, compact)
      break
    case 'bytes':
    case 'records':
      check(value instanceof Uint8Array, value, 'a Uint8Array')
      if (compact) writer.unsignedVarint(value.length + 1)
      else writer.int32(value.length)
      writer.bytes(value)
      break
    case 'struct':
      if (nullable) writer.int8(1)
      check(typeof value === 'object', value, 'an object')
      // `encodeStruct` checks the fields.
      encodeStruct(writer, plan.plan, value as Struct)
      break
    case 'array':
      check(Array.isArray(value), value, 'an array')
      encodeArray(writer, plan.element, value, compact)
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
  // Java also rejects longer strings in the compact form.
  if (byteLength > 0x7fff)
    throw new EncodeError(`it has ${byteLength} bytes; at most 32767 are allowed`)
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
    throw withStep(error, `[${index}]`)
  }
}

/**
 * Callers in plain JavaScript get the name of the wrong field; the compiler checks it for
 * TypeScript.
 */
function check(isOne: boolean, value: unknown, what: string): asserts isOne {
  if (isOne) return
  throw new EncodeError(
    `it must be ${what}, but is ${value === undefined ? 'missing' : `of type ${typeof value}`}`,
  )
}

/** DataView wraps values out of range silently: a wrong number must not be sent as another one. */
function integer(value: unknown, min: number, max: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) {
    return value
  }
  throw new EncodeError(`it must be an integer from ${min} to ${max}, not ${String(value)}`)
}

const INT64_MIN = -(2n ** 63n)
const INT64_MAX = 2n ** 63n - 1n

function int64(value: unknown): bigint {
  if (typeof value === 'bigint' && value >= INT64_MIN && value <= INT64_MAX) return value
  throw new EncodeError(`it must be a bigint of 64 bits, not ${String(value)}`)
}

function uuid(value: unknown): string {
  if (typeof value === 'string' && /^[\w-]{22}$/.test(value)) return value
  throw new EncodeError(`it must be a UUID as 22 characters of base64url, not ${String(value)}`)
}

/** Whether a value may be left out: like Java, this leaves out tagged fields with their default. */
function isDefault(step: Pick<Step, 'value' | 'default'>, value: unknown): boolean {
  if (value === step.default) return true
  if (value === null || step.default === null) return false
  switch (step.value.kind) {
    case 'array':
    case 'bytes':
    case 'records':
      // `encodeValue` checks the type: here another type only counts as no default.
      return (value as ArrayLike<unknown>).length === 0
    case 'struct': {
      // As above.
      const struct = value as Struct
      return (
        step.value.plan.steps.every(
          (inner) => struct[inner.name] === undefined || isDefault(inner, struct[inner.name]),
        ) && !struct.unknownTaggedFields?.length
      )
    }
    case 'uuid':
      return value === ZERO_UUID && step.default === ZERO_UUID
    default:
      return false
  }
}
