import { StormError } from '../errors.ts'
import type { Outgoing } from './messages.ts'
import type { Wire } from './wire.ts'

type Module = typeof import('@msgpack/msgpack')

const DEEPEST = 100
/** The first byte of JSON; in MessagePack it would be the number 123, which is not a message. */
const BRACE = 0x7b
const SPACE = 0x20

/** Whether Storm uses MessagePack, which its first message shows. */
export function isMsgpack(first: Buffer): boolean {
  const byte = first.find((one) => one > SPACE)
  return byte !== undefined && byte !== BRACE
}

/** Loads the optional peer. Throws StormError (MISSING_PACKAGE). */
export async function loadMsgpack(): Promise<MsgpackWire> {
  let module: Module
  try {
    module = await import('@msgpack/msgpack')
  } catch (error) {
    const reason =
      'the package @msgpack/msgpack, which the serializer msgpack requires, is missing: npm install @msgpack/msgpack'
    throw new StormError('MISSING_PACKAGE', reason, undefined, error)
  }
  return new MsgpackWire(module)
}

/** MessagePack messages one after the other, without separators: bytes are sent unchanged. */
export class MsgpackWire implements Wire {
  readonly #module: Module
  readonly #encoder: InstanceType<Module['Encoder']>
  #rest: Buffer = Buffer.alloc(0)

  constructor(module: Module) {
    this.#module = module
    this.#encoder = new module.Encoder()
  }

  decode(chunk: Buffer): unknown[] {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    const messages: unknown[] = []
    let at = 0
    for (let end = endOf(bytes, at); end !== undefined; end = endOf(bytes, at)) {
      messages.push(plain(this.#module.decode(bytes.subarray(at, end))))
      at = end
    }
    this.#rest = bytes.subarray(at)
    return messages
  }

  encode(message: Outgoing): Buffer {
    return Buffer.from(this.#encoder.encode(message))
  }

  problemWith(value: unknown): string | undefined {
    return problemWith(value, 0)
  }
}

/** Storm sends the context of the handshake only as JSON. */
function plain(message: unknown): unknown {
  if (typeof message !== 'object' || message === null || !('context' in message)) return message
  const { context } = message
  return typeof context === 'string'
    ? { ...message, context: JSON.parse(context) as unknown }
    : message
}

/** The end of the value that begins at this byte; undefined if it is incomplete. */
function endOf(bytes: Buffer, at: number): number | undefined {
  let end = at
  for (let left = 1; left > 0; left--) {
    if (end >= bytes.length) return undefined
    const { bytes: length, values } = sizeOf(bytes, end)
    end += length
    left += values
  }
  return end <= bytes.length ? end : undefined
}

interface Size {
  /** The size of the value itself, without the values that it contains. */
  readonly bytes: number
  /** How many values follow as its content. */
  readonly values: number
}

/** The sizes of types from 0xc0 to 0xdf that have no length. */
const FIXED: Readonly<Record<number, number>> = {
  ...{ 0xc0: 1, 0xc2: 1, 0xc3: 1, 0xca: 5, 0xcb: 9 },
  ...{ 0xcc: 2, 0xcd: 3, 0xce: 5, 0xcf: 9, 0xd0: 2, 0xd1: 3, 0xd2: 5, 0xd3: 9 },
  ...{ 0xd4: 3, 0xd5: 4, 0xd6: 6, 0xd7: 10, 0xd8: 18 },
}

/** At least 1 byte; more than are available if the length itself is incomplete. */
function sizeOf(bytes: Buffer, at: number): Size {
  const type = bytes[at]!
  if (type < 0x80 || type >= 0xe0) return { bytes: 1, values: 0 }
  if (type < 0x90) return { bytes: 1, values: 2 * (type & 0x0f) }
  if (type < 0xa0) return { bytes: 1, values: type & 0x0f }
  if (type < 0xc0) return { bytes: 1 + (type & 0x1f), values: 0 }
  const fixed = FIXED[type]
  if (fixed !== undefined) return { bytes: fixed, values: 0 }
  const width = widthOf(type)
  if (at + 1 + width > bytes.length) return { bytes: 1 + width, values: 0 }
  const length = bytes.readUIntBE(at + 1, width)
  if (type >= 0xde) return { bytes: 1 + width, values: 2 * length }
  if (type >= 0xdc) return { bytes: 1 + width, values: length }
  // An extension has a byte for its type.
  const extra = type >= 0xc7 && type <= 0xc9 ? 1 : 0
  return { bytes: 1 + width + extra + length, values: 0 }
}

/** The size of the length field in bytes. */
function widthOf(type: number): number {
  switch (type) {
    case 0xc4:
    case 0xc7:
    case 0xd9:
      return 1
    case 0xc5:
    case 0xc8:
    case 0xda:
    case 0xdc:
    case 0xde:
      return 2
    case 0xc6:
    case 0xc9:
    case 0xdb:
    case 0xdd:
    case 0xdf:
      return 4
    default:
      throw new SyntaxError(`a message from Storm is not MessagePack: byte ${type}`)
  }
}

function problemWith(value: unknown, depth: number): string | undefined {
  if (depth > DEEPEST) return 'an object that is nested too deeply, or contains itself'
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'number':
      return undefined
    case 'bigint':
      return 'a bigint: emit a number or a string'
    case 'object':
      break
    default:
      return `${typeof value}, which MessagePack cannot represent`
  }
  if (value === null || value instanceof Uint8Array) return undefined
  if (value instanceof Map || value instanceof Set || value instanceof Date) {
    return `a ${value.constructor.name}: emit an array, a plain object or a number`
  }
  const elements: readonly unknown[] = Array.isArray(value)
    ? value
    : Object.values(value).filter((one) => one !== undefined)
  for (const element of elements) {
    const problem = problemWith(element, depth + 1)
    if (problem !== undefined) return problem
  }
  return undefined
}
