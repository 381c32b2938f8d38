import type { FastReader, Field, Fields, PrimitiveName } from './fields.ts'
import { includes, parseVersions, type VersionRange } from './versions.ts'

/**
 * The layout of a struct in one version, computed once. It is walked by a switch, not by a closure
 * for each field. It includes fields that the version does not have: every decoded struct has all
 * declared fields in declared order, so the engine sees one shape for all versions.
 */
export interface Plan {
  readonly version: number
  readonly flexible: boolean
  readonly steps: readonly Step[]
  /** The untagged fields, in the order in which they are written. */
  readonly inline: readonly Step[]
  /**
   * All fields with their defaults. Decoding starts with a copy, which is faster than setting each
   * field.
   */
  readonly defaults: Readonly<Record<string, unknown>>
  /** The tagged fields of this version in the order of their tags. */
  readonly tagged: readonly Step[]
  /** The minimum size of such a struct, which limits the count that an array may claim. */
  readonly minBytes: number
}

export interface Step {
  readonly name: string
  readonly place: 'absent' | 'inline' | 'tagged'
  readonly tag: number
  readonly nullable: boolean
  /** Lengths are unsigned varints of length + 1 (KIP-482). */
  readonly compact: boolean
  readonly value: ValuePlan
  readonly default: unknown
  readonly ignorable: boolean
}

export type ValuePlan =
  { readonly kind: PrimitiveName } | { readonly kind: 'struct'; readonly plan: Plan } | ArrayPlan

export interface ArrayPlan {
  readonly kind: 'array'
  readonly element: ValuePlan
  readonly elementMinBytes: number
  /** Reads the elements, if they have a decoder by hand in this version. */
  readonly read: FastReader['read'] | undefined
}

const FIXED_BYTES = {
  bool: 1,
  int8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  int64: 8,
  float64: 8,
  uuid: 16,
}

export function planOf(fields: Fields, version: number, flexibleVersions: VersionRange): Plan {
  const flexible = includes(flexibleVersions, version)
  const steps = Object.entries(fields).map(([name, field]) =>
    stepOf(name, field, version, flexible, flexibleVersions),
  )
  const inline = steps.filter(({ place }) => place === 'inline')
  const defaults = Object.fromEntries(steps.map((step) => [step.name, step.default]))
  const tagged = steps.filter(({ place }) => place === 'tagged').sort((a, b) => a.tag - b.tag)
  const minBytes = inline.reduce((sum, step) => sum + minBytesOf(step), flexible ? 1 : 0)
  return { version, flexible, steps, inline, defaults, tagged, minBytes }
}

function stepOf(
  name: string,
  field: Field,
  version: number,
  flexible: boolean,
  flexibleVersions: VersionRange,
): Step {
  const tagged = includes(field.taggedVersions, version)
  const compact = field.flexible === undefined ? flexible : includes(field.flexible, version)
  return {
    name,
    place: tagged ? 'tagged' : includes(field.versions, version) ? 'inline' : 'absent',
    tag: field.tag ?? -1,
    nullable: includes(field.nullable, version),
    compact,
    value: valueOf(field, version, compact, flexibleVersions),
    default: field.default,
    ignorable: field.ignorable,
  }
}

function valueOf(
  { type }: Field,
  version: number,
  compact: boolean,
  flexibleVersions: VersionRange,
): ValuePlan {
  if (type.kind === 'primitive') return { kind: type.name }
  if (type.kind === 'struct') {
    return { kind: 'struct', plan: planOf(type.fields, version, flexibleVersions) }
  }
  const element: ValuePlan =
    typeof type.element === 'string'
      ? { kind: type.element }
      : { kind: 'struct', plan: planOf(type.element, version, flexibleVersions) }
  // At least one byte for each element, so that no count exceeds what the frame can contain.
  const elementMinBytes = Math.max(1, minBytesOf({ value: element, compact, nullable: false }))
  const { fast } = type
  const isFast = compact && fast !== undefined && includes(parseVersions(fast.versions), version)
  return { kind: 'array', element, elementMinBytes, read: isFast ? fast.read : undefined }
}

function minBytesOf({ value, compact, nullable }: Pick<Step, 'value' | 'compact' | 'nullable'>) {
  switch (value.kind) {
    case 'struct':
      return nullable ? 1 : value.plan.minBytes
    case 'string':
      return compact ? 1 : 2
    case 'bytes':
    case 'records':
    case 'array':
      return compact ? 1 : 4
    default:
      return FIXED_BYTES[value.kind]
  }
}
