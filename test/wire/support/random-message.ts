import type { MessageSchema } from '../../../protocol/schema/api.ts'
import {
  ZERO_UUID,
  type Field,
  type Fields,
  type PrimitiveName,
} from '../../../protocol/schema/fields.ts'
import { includes } from '../../../protocol/schema/versions.ts'
import type { Random } from './random.ts'

type Value = Record<string, unknown>

const TEXTS = [
  '',
  'a',
  'topic-1',
  'été',
  '€',
  '\u{1f600}\u{1f600}',
  '\0',
  'x'.repeat(126),
  'x'.repeat(127),
  'x'.repeat(128),
  '\u{1f680}'.repeat(60),
]
const LENGTHS = [0, 1, 7, 126, 127, 128, 300]
/** Past the size from which the writer keeps bytes by reference. */
const LARGE_BYTES = 5000
const FLOATS = [0, -0, 1.5, Number.MAX_VALUE, -Number.MAX_VALUE, Number.MIN_VALUE]

/**
 * A message with random values, as this version may carry it; not all that may be left out is
 * there.
 */
export function randomMessage(
  message: MessageSchema<Fields>,
  version: number,
  random: Random,
): Value {
  return new Maker(version, message.isFlexible(version), random).struct(message.fields, 0)
}

class Maker {
  readonly #version: number
  readonly #flexible: boolean
  readonly #random: Random

  constructor(version: number, flexible: boolean, random: Random) {
    this.#version = version
    this.#flexible = flexible
    this.#random = random
  }

  struct(fields: Fields, depth: number): Value {
    const value: Value = {}
    for (const [name, field] of Object.entries(fields)) {
      if (!includes(field.versions, this.#version)) continue
      const isTagged = includes(field.taggedVersions, this.#version)
      if (isTagged && this.#random.chance(2)) continue
      value[name] = this.#value(field, depth)
    }
    if (this.#flexible && this.#random.chance(4)) {
      value['unknownTaggedFields'] = this.#unknownTaggedFields(fields)
    }
    return value
  }

  #value({ type, nullable }: Field, depth: number): unknown {
    if (includes(nullable, this.#version) && this.#random.chance(4)) return null
    if (type.kind === 'primitive') return this.#primitive(type.name)
    if (type.kind === 'struct') return this.struct(type.fields, depth + 1)
    const { element } = type
    return Array.from({ length: this.#random.below(depth < 2 ? 4 : 3) }, () =>
      typeof element === 'string' ? this.#primitive(element) : this.struct(element, depth + 1),
    )
  }

  #primitive(name: PrimitiveName): unknown {
    const random = this.#random
    switch (name) {
      case 'bool':
        return random.chance(2)
      case 'int8':
        return Number(this.#integer(8))
      case 'int16':
        return Number(this.#integer(16))
      case 'int32':
        return Number(this.#integer(32))
      case 'int64':
        return this.#integer(64)
      case 'uint16':
        return Number(BigInt.asUintN(16, this.#integer(16)))
      case 'uint32':
        return Number(BigInt.asUintN(32, this.#integer(32)))
      case 'float64':
        return random.pick(FLOATS)
      case 'uuid':
        return random.chance(2) ? ZERO_UUID : random.bytes(16).toString('base64url')
      case 'string':
        return random.pick(TEXTS)
      case 'bytes':
      case 'records':
        return random.bytes(random.chance(20) ? LARGE_BYTES : random.pick(LENGTHS))
    }
  }

  #integer(bits: number): bigint {
    const highest = 2n ** BigInt(bits - 1) - 1n
    const any = BigInt.asIntN(bits, this.#random.bytes(8).readBigInt64BE())
    return this.#random.pick([highest, -highest - 1n, 0n, -1n, 1n, any, any])
  }

  /** Below, between and above the known ones. Kafka refuses a tag that only other versions know. */
  #unknownTaggedFields(fields: Fields): unknown[] {
    const known = Object.values(fields).map(({ tag }) => tag)
    const unknown: unknown[] = []
    let tag = -1
    for (let left = this.#random.below(3); left > 0; left--) {
      tag += 1 + this.#random.below(this.#random.chance(2) ? 3 : 100_000)
      const data = this.#random.bytes(this.#random.pick(LENGTHS))
      if (!known.includes(tag)) unknown.push({ tag, data })
    }
    return unknown
  }
}
