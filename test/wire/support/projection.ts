import type { MessageSchema } from '../../../protocol/schema/api.ts'
import { ZERO_UUID, type Field, type Fields } from '../../../protocol/schema/fields.ts'
import {
  includes,
  parseVersions,
  type VersionRange,
  type VersionSpec,
} from '../../../protocol/schema/versions.ts'
import type { FieldDefinition, MessageDefinition } from './definitions.ts'

/**
 * A message as one version has it, in the same form whether it comes from Kafka's definition or
 * from our declaration, so that the two can be compared: one line a field, in order.
 */
export interface Projection {
  /** `topics[].partitions[].index: int32, default 0`, in the order of the wire. */
  readonly present: readonly string[]
  /**
   * The fields of other versions by path: what happens to a value that this version cannot carry.
   */
  readonly absent: ReadonlyMap<string, string>
}

const NUMBERS = ['int8', 'int16', 'uint16', 'int32', 'uint32', 'int64', 'float64']
const PRIMITIVES = ['bool', ...NUMBERS, 'uuid', 'string', 'bytes', 'records']

interface Projected {
  readonly path: string
  readonly type: string
  readonly compact: boolean
  readonly nullable: boolean
  readonly tag: number | undefined
  readonly default: string
  readonly ignorable: boolean
}

/**
 * Both sides give their fields in this form. Structs are of type `struct`, with `inner` to descend
 * into.
 */
interface Source<T> {
  readonly fields: readonly T[]
  name(field: T): string
  type(field: T): { array: boolean; element: string; inner: readonly T[] | undefined }
  versions(field: T): VersionRange
  nullable(field: T): VersionRange
  tagged(field: T): { tag: number | undefined; versions: VersionRange }
  flexible(field: T): VersionRange
  default(field: T): string
  ignorable(field: T): boolean
}

function project<T>(source: Source<T>, version: number): Projection {
  const present: string[] = []
  const absent = new Map<string, string>()
  const walk = (fields: readonly T[], prefix: string) => {
    // Tagged fields are written by tag, after all others: their order in the text says nothing.
    const untagged = fields.filter((field) => !isTagged(field))
    const tagged = fields.filter(isTagged)
    tagged.sort((a, b) => source.tagged(a).tag! - source.tagged(b).tag!)
    for (const field of [...untagged, ...tagged]) add(field, prefix)
  }
  const isTagged = (field: T) => includes(source.tagged(field).versions, version)
  const add = (field: T, prefix: string) => {
    const { array, element, inner } = source.type(field)
    const path = `${prefix}${source.name(field)}`
    const isPresent = includes(source.versions(field), version)
    const line = describe({
      path,
      type: `${array ? '[]' : ''}${element}`,
      compact: includes(source.flexible(field), version),
      nullable: includes(source.nullable(field), version),
      tag: isTagged(field) ? source.tagged(field).tag : undefined,
      default: source.default(field),
      // It only says what happens in versions that lack the field.
      ignorable: !isPresent && source.ignorable(field),
    })
    if (isPresent) present.push(line)
    else absent.set(path, line)
    if (inner !== undefined && isPresent) walk(inner, `${path}${array ? '[]' : ''}.`)
  }
  walk(source.fields, '')
  return { present, absent }
}

function describe(field: Projected): string {
  const notes = [`default ${field.default}`]
  if (field.compact) notes.push('compact')
  if (field.nullable) notes.push('nullable')
  if (field.tag !== undefined) notes.push(`tag ${field.tag}`)
  if (field.ignorable) notes.push('ignorable')
  return `${field.path}: ${field.type}, ${notes.join(', ')}`
}

/** Kafka's own definition. */
export function projectDefinition(definition: MessageDefinition, version: number): Projection {
  const structs = new Map(definition.commonStructs?.map((struct) => [struct.name, struct.fields]))
  const range = (spec: VersionSpec | undefined) => parseVersions(spec ?? 'none')
  const source: Source<FieldDefinition> = {
    fields: definition.fields,
    name: ({ name }) => `${name.charAt(0).toLowerCase()}${name.slice(1)}`,
    type: ({ type, fields }) => {
      const array = type.startsWith('[]')
      const element = array ? type.slice(2) : type
      if (PRIMITIVES.includes(element)) return { array, element, inner: undefined }
      return { array, element: 'struct', inner: fields ?? structs.get(element) }
    },
    versions: ({ versions }) => range(versions),
    nullable: ({ nullableVersions }) => range(nullableVersions),
    tagged: ({ tag, taggedVersions }) => ({ tag, versions: range(taggedVersions) }),
    flexible: ({ flexibleVersions }) => range(flexibleVersions ?? definition.flexibleVersions),
    default: definedDefault,
    ignorable: ({ ignorable }) => ignorable ?? false,
  }
  return project(source, version)
}

function definedDefault({ type, default: text }: FieldDefinition): string {
  if (text === null || text === 'null') return 'null'
  if (type.startsWith('[]')) return '[]'
  if (NUMBERS.includes(type)) return numberText(text ?? 0)
  if (type === 'bool') return String(text ?? false)
  if (type === 'uuid') return JSON.stringify(ZERO_UUID)
  if (type === 'string') return JSON.stringify(text ?? '')
  // No default of records is ever written: Java's is null, ours is empty.
  return type === 'bytes' || type === 'records' ? 'no bytes' : 'struct of defaults'
}

function numberText(value: string | number | boolean): string {
  const text = String(value)
  if (text.includes('.')) return String(Number(text))
  // BigInt() takes `0x10` but not `-0x10`.
  return String(text.startsWith('-') ? -BigInt(text.slice(1)) : BigInt(text))
}

/** Our declaration. */
export function projectMessage(message: MessageSchema<Fields>, version: number): Projection {
  type Entry = readonly [string, Field]
  const source: Source<Entry> = {
    fields: Object.entries(message.fields),
    name: ([name]) => name,
    type: ([, { type }]) => {
      if (type.kind === 'primitive') return { array: false, element: type.name, inner: undefined }
      const array = type.kind === 'array'
      const element = type.kind === 'array' ? type.element : type.fields
      if (typeof element === 'string') return { array, element, inner: undefined }
      return { array, element: 'struct', inner: Object.entries(element) }
    },
    versions: ([, field]) => field.versions,
    nullable: ([, field]) => field.nullable,
    tagged: ([, field]) => ({ tag: field.tag, versions: field.taggedVersions }),
    flexible: ([, field]) => field.flexible ?? message.flexible,
    default: ([, field]) => declaredDefault(field),
    ignorable: ([, field]) => field.ignorable,
  }
  return project(source, version)
}

function declaredDefault({ type, default: value }: Field): string {
  if (value === null) return 'null'
  if (type.kind === 'array') return '[]'
  if (type.kind === 'struct') return 'struct of defaults'
  if (type.name === 'bytes' || type.name === 'records') return 'no bytes'
  return typeof value === 'bigint' ? String(value) : JSON.stringify(value)
}
