/**
 * The functions with which APIs are declared. One declaration serves every version and both
 * directions: `plan.ts` computes the fields of a version, `encode.ts` and `decode.ts` use them, and
 * the TypeScript types follow from the declaration.
 *
 * A field declares the versions in which it exists and, if they differ from Kafka's usual ones, its
 * default, the versions in which it may be null, its tag, and whether it may be dropped silently if
 * a version does not have it.
 */
import type { Reader } from '../buffer/reader.ts'
import { parseVersions, type VersionRange, type VersionSpec } from './versions.ts'

/**
 * The TypeScript types of fields of primitive types. int64 is a bigint: no value is ever rounded.
 */
export interface Primitives {
  bool: boolean
  int8: number
  int16: number
  uint16: number
  int32: number
  uint32: number
  int64: bigint
  float64: number
  /** 22 characters of base64url, as Kafka prints topic ids. */
  uuid: string
  string: string
  /** A view on the frame when decoded. */
  bytes: Uint8Array
  /** Record batches or message sets, undecoded: see protocol/records. */
  records: Uint8Array
}
export type PrimitiveName = keyof Primitives

/** The uuid that stands for "none". */
export const ZERO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA'

export type FieldType =
  | { readonly kind: 'primitive'; readonly name: PrimitiveName }
  | { readonly kind: 'struct'; readonly fields: Fields }
  | { readonly kind: 'array'; readonly element: PrimitiveName | Fields; readonly fast?: FastReader }

/**
 * A decoder by hand for the structs of an array that has thousands of them, three times as fast as
 * the walk of a plan: an object literal costs a fifth of a copy of the defaults and of stores by
 * name.
 */
export interface FastReader<Struct = unknown> {
  /** The flexible versions that it reads, all of which have the same fields. */
  readonly versions: VersionSpec
  /**
   * Returns the same object as the declared fields, in the same order, and drops unknown tagged
   * fields. If it throws a ProtocolError, the struct is decoded again by its declaration, which
   * finds the error again and names the field.
   */
  readonly read: (reader: Reader) => Struct
}

/**
 * A field of a message. `Out` is its type when decoded, `In` when encoded, and `Optional` is
 * whether an encoder may leave it out (it then writes the default).
 */
export interface Field<Out = unknown, In = unknown, Optional extends boolean = boolean> {
  readonly type: FieldType
  readonly versions: VersionRange
  readonly nullable: VersionRange
  readonly tag: number | undefined
  readonly taggedVersions: VersionRange
  /** Overrides the message's flexible versions for this field only (RequestHeader's client id). */
  readonly flexible: VersionRange | undefined
  readonly default: Out
  readonly ignorable: boolean
  /** Only for the type checker: never set. */
  readonly optional?: Optional
  /** Only for the type checker: never set. */
  readonly input?: In
}

export type Fields = Readonly<Record<string, Field>>

/** A tagged field that is not declared: it is kept, so that it can be written unchanged. */
export interface UnknownTaggedField {
  readonly tag: number
  readonly data: Uint8Array
}

// Not an interface: only a type alias makes decoded messages assignable to `Record<string,
// unknown>`.
type UnknownTaggedFields = {
  readonly unknownTaggedFields?: readonly UnknownTaggedField[]
}

/**
 * A decoded message or struct: every field exists, with its default if the version does not have
 * it.
 */
export type Decoded<F extends Fields> = {
  readonly [Name in keyof F]: F[Name] extends Field<infer Out> ? Out : never
} & UnknownTaggedFields

type OptionalNames<F extends Fields> = {
  [Name in keyof F]: F[Name] extends Field<unknown, unknown, true> ? Name : never
}[keyof F]

/**
 * A message or struct to encode: fields of later versions, and fields with a default, may be left
 * out.
 */
export type Encodable<F extends Fields> = {
  readonly [Name in Exclude<keyof F, OptionalNames<F>>]: F[Name] extends Field<unknown, infer In>
    ? In
    : never
} & {
  readonly [Name in OptionalNames<F>]?: F[Name] extends Field<unknown, infer In> ? In : never
} & UnknownTaggedFields

export interface FieldOptions<Default> {
  /** Default: zero, empty, false, the zero uuid, as in Kafka's own definitions. */
  readonly default?: Default
  /** Versions in which the field may be null. Default: none. */
  readonly nullable?: VersionSpec
  /** The tag, for a tagged field. */
  readonly tag?: number
  /** Versions in which it is tagged. Default with a tag: those in which it exists. */
  readonly tagged?: VersionSpec
  /**
   * Dropped silently, rather than rejected, if a value is set and the version does not have the
   * field.
   */
  readonly ignorable?: boolean
  readonly flexible?: VersionSpec
}

type OrNull<T, O> = O extends { nullable: string } ? T | null : T
type IsOptional<V extends VersionSpec, O> = V extends '0+'
  ? O extends { default: unknown } | { tag: number }
    ? true
    : false
  : true

function field<Out, In, Optional extends boolean>(
  type: FieldType,
  versions: VersionSpec,
  options: FieldOptions<unknown>,
  zero: unknown,
): Field<Out, In, Optional> {
  return {
    type,
    versions: parseVersions(versions),
    nullable: parseVersions(options.nullable ?? 'none'),
    tag: options.tag,
    taggedVersions: parseVersions(
      options.tag === undefined ? 'none' : (options.tagged ?? versions),
    ),
    flexible: options.flexible === undefined ? undefined : parseVersions(options.flexible),
    // The only cast of a value to the type that the caller derived from the options.
    default: (options.default === undefined ? zero : options.default) as Out,
    ignorable: options.ignorable ?? false,
  }
}

type PrimitiveField<T> = <
  V extends VersionSpec,
  const O extends FieldOptions<T | null> = FieldOptions<never>,
>(
  versions: V,
  options?: O,
) => Field<OrNull<T, O>, OrNull<T, O>, IsOptional<V, O>>

function primitive<Name extends PrimitiveName>(
  name: Name,
  zero: Primitives[Name],
): PrimitiveField<Primitives[Name]> {
  return (versions, options) => field({ kind: 'primitive', name }, versions, options ?? {}, zero)
}

const NO_BYTES = new Uint8Array(0)

export const bool = primitive('bool', false)
export const int8 = primitive('int8', 0)
export const int16 = primitive('int16', 0)
export const uint16 = primitive('uint16', 0)
export const int32 = primitive('int32', 0)
export const uint32 = primitive('uint32', 0)
export const int64 = primitive('int64', 0n)
export const float64 = primitive('float64', 0)
export const uuid = primitive('uuid', ZERO_UUID)
export const string = primitive('string', '')
export const bytes = primitive('bytes', NO_BYTES)
export const records = primitive('records', NO_BYTES)

type Element = PrimitiveName | Fields
type DecodedElement<E extends Element> = E extends PrimitiveName
  ? Primitives[E]
  : E extends Fields
    ? Decoded<E>
    : never
type EncodableElement<E extends Element> = E extends PrimitiveName
  ? Primitives[E]
  : E extends Fields
    ? Encodable<E>
    : never

/** An array of a primitive type (by name) or of structs (by their fields). */
export function array<
  V extends VersionSpec,
  const E extends Element,
  const O extends FieldOptions<null> = FieldOptions<never>,
>(
  versions: V,
  element: E,
  options?: O,
  fast?: FastReader<DecodedElement<E>>,
): Field<
  OrNull<readonly DecodedElement<E>[], O>,
  OrNull<readonly EncodableElement<E>[], O>,
  IsOptional<V, O>
> {
  const zero = Object.freeze([])
  const type = { kind: 'array', element, ...(fast === undefined ? {} : { fast }) } as const
  return field(type, versions, options ?? {}, zero)
}

/** A single struct, not in an array. Its default consists of its fields' defaults. */
export function struct<
  V extends VersionSpec,
  const F extends Fields,
  const O extends FieldOptions<null> = FieldOptions<never>,
>(
  versions: V,
  fields: F,
  options?: O,
): Field<OrNull<Decoded<F>, O>, OrNull<Encodable<F>, O>, IsOptional<V, O>> {
  const zero = Object.freeze(defaultsOf(fields))
  return field({ kind: 'struct', fields }, versions, options ?? {}, zero)
}

/** The struct in which every field has its default. */
function defaultsOf(fields: Fields): Record<string, unknown> {
  const value: Record<string, unknown> = {}
  for (const [name, { default: zero }] of Object.entries(fields)) value[name] = zero
  return value
}
