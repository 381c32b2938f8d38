/**
 * Thrift's types, each with its binary encoding. The fields of a structure are declared once, and
 * its TypeScript type follows from the declaration.
 */
import { ThriftReader, ThriftWriter, WireType } from './binary.ts'

/** A Thrift type whose TypeScript values are `T`. */
export interface ThriftType<T> {
  readonly wire: WireType
  write(out: ThriftWriter, value: T): void
  /** `wire` is the type that was sent, which may be a wider or narrower number than the declared one. */
  read(input: ThriftReader, wire: WireType): T
}

export type TypeOf<Type> = Type extends ThriftType<infer T> ? T : never

export const string: ThriftType<string> = {
  wire: WireType.string,
  write: (out, value) => out.string(value),
  read: (input) => input.bytes().toString('utf8'),
}

export const binary: ThriftType<Uint8Array> = {
  wire: WireType.string,
  write: (out, value) => out.bytes(value),
  read: (input) => input.bytes(),
}

export const bool: ThriftType<boolean> = {
  wire: WireType.bool,
  write: (out, value) => out.byte(value ? 1 : 0),
  read: (input) => input.byte() !== 0,
}

export const i32: ThriftType<number> = {
  wire: WireType.i32,
  write: (out, value) => out.i32(value),
  read: (input, wire) => Number(input.integer(wire)),
}

export const i64: ThriftType<bigint> = {
  wire: WireType.i64,
  write: (out, value) => out.i64(value),
  read: (input, wire) => input.integer(wire),
}

/** An i64 that is a count, as a number, which is exact up to 2^53. */
export const count: ThriftType<number> = {
  wire: WireType.i64,
  write: (out, value) => out.i64(BigInt(value)),
  read: (input, wire) => Number(input.integer(wire)),
}

export const double: ThriftType<number> = {
  wire: WireType.double,
  write: (out, value) => out.double(value),
  read: (input) => input.double(),
}

export function list<T>(element: ThriftType<T>): ThriftType<readonly T[]> {
  return {
    wire: WireType.list,
    write: (out, values) => {
      out.byte(element.wire)
      out.i32(values.length)
      for (const value of values) element.write(out, value)
    },
    read: (input) => {
      const wire = input.byte()
      return Array.from({ length: input.size() }, () => element.read(input, wire))
    },
  }
}

/** A map as its entries, for keys that are structures. */
export function entries<Key, Value>(
  key: ThriftType<Key>,
  value: ThriftType<Value>,
): ThriftType<readonly (readonly [Key, Value])[]> {
  return {
    wire: WireType.map,
    write: (out, pairs) => {
      out.byte(key.wire)
      out.byte(value.wire)
      out.i32(pairs.length)
      for (const [one, other] of pairs) {
        key.write(out, one)
        value.write(out, other)
      }
    },
    read: (input) => {
      const [keyWire, valueWire] = [input.byte(), input.byte()]
      return Array.from(
        { length: input.size() },
        () => [key.read(input, keyWire), value.read(input, valueWire)] as const,
      )
    },
  }
}

/** A map whose keys are strings. */
export function map<Value>(value: ThriftType<Value>): ThriftType<Readonly<Record<string, Value>>> {
  const pairs = entries(string, value)
  return {
    wire: WireType.map,
    write: (out, values) => pairs.write(out, Object.entries(values)),
    read: (input, wire) => Object.fromEntries(pairs.read(input, wire)),
  }
}

/** A field of a structure, by its number. */
export interface Field<T, IsRequired extends boolean = boolean> {
  readonly id: number
  readonly type: ThriftType<T>
  readonly isRequired: IsRequired
}

export function required<T>(id: number, type: ThriftType<T>): Field<T, true> {
  return { id, type, isRequired: true }
}

export function optional<T>(id: number, type: ThriftType<T>): Field<T, false> {
  return { id, type, isRequired: false }
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- each field has a type of its own, which StructOf infers
type Fields = Readonly<Record<string, Field<any>>>

type StructOf<F extends Fields> = {
  readonly [
    Name in keyof F as F[Name] extends Field<unknown, true> ? Name : never
  ]: F[Name] extends Field<infer T> ? T : never
} & {
  readonly [
    Name in keyof F as F[Name] extends Field<unknown, true> ? never : Name
  ]?: F[Name] extends Field<infer T> ? T : never
}

/**
 * A structure. Fields that it does not declare are skipped, because a newer Storm may have more.
 */
export function struct<const F extends Fields>(fields: F): ThriftType<StructOf<F>> {
  const named = Object.entries(fields)
  const byId = new Map(named.map(([name, field]) => [field.id, [name, field] as const]))
  const ordered = [...named].sort(([, one], [, other]) => one.id - other.id)
  return {
    wire: WireType.struct,
    write: (out, value) => {
      for (const [name, { id, type, isRequired }] of ordered) {
        const of: unknown = Reflect.get(value, name)
        if (of === undefined && isRequired) throw new TypeError(`the field '${name}' is missing`)
        if (of === undefined) continue
        out.field(type.wire, id)
        type.write(out, of)
      }
      out.stop()
    },
    read: (input) => {
      const value: Record<string, unknown> = {}
      for (;;) {
        const wire = input.byte()
        if (wire === WireType.stop) break
        const [name, field] = byId.get(input.i16()) ?? []
        if (name === undefined || field === undefined || !isReadable(field.type.wire, wire)) {
          input.skip(wire)
        } else {
          value[name] = field.type.read(input, wire)
        }
      }
      for (const [name, { isRequired }] of ordered) {
        if (isRequired && value[name] === undefined) {
          throw new RangeError(`the field '${name}' is missing`)
        }
      }
      // Each field was read with its declared type.
      return value as StructOf<F>
    },
  }
}

const INTEGERS: readonly WireType[] = [WireType.byte, WireType.i16, WireType.i32, WireType.i64]

/** Storm has widened numbers from one version to the next. */
function isReadable(declared: WireType, sent: WireType): boolean {
  return declared === sent || (INTEGERS.includes(declared) && INTEGERS.includes(sent))
}
