import type { Outgoing } from './messages.ts'
import type { Wire } from './wire.ts'

/**
 * Ends each message. JSON text has no line break inside a string, so this text occurs nowhere else.
 */
const SEPARATOR = '\nend\n'
const DEEPEST = 100

/**
 * Storm's JsonSerializer from 2.6.0 on (STORM-3961) casts the task of a direct emit to Long, and
 * its parser returns an Integer for a number below 2^31: the ClassCastException ends the worker.
 * Older and newer versions narrow the number to 32 bits afterwards, so adding 2^32 does not change
 * the task id for them.
 */
const MAKES_A_LONG = 2 ** 32

/** JSON, each message followed by a line `end`: Storm's default. */
export class JsonWire implements Wire {
  #rest: Buffer = Buffer.alloc(0)

  decode(chunk: Buffer): unknown[] {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    const last = bytes.lastIndexOf(SEPARATOR)
    if (last < 0) {
      this.#rest = bytes
      return []
    }
    this.#rest = bytes.subarray(last + SEPARATOR.length)
    return bytes.toString('utf8', 0, last).split(SEPARATOR).map(parse)
  }

  encode(message: Outgoing): string {
    const isDirect = 'task' in message && typeof message.task === 'number'
    const written = isDirect ? { ...message, task: message.task + MAKES_A_LONG } : message
    return JSON.stringify(written) + SEPARATOR
  }

  problemWith(value: unknown): string | undefined {
    return problemWith(value, 0)
  }
}

/** A message may have several lines, including blank ones: JSON allows that. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new SyntaxError(`a message from Storm is not JSON: ${text.slice(0, 200)}`, { cause })
  }
}

/**
 * Values that JSON.stringify would change silently, or for which it would throw an error without
 * their name.
 */
function problemWith(value: unknown, depth: number): string | undefined {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return undefined
    case 'number':
      return Number.isFinite(value) ? undefined : `${value}, which JSON cannot represent`
    case 'bigint':
      return 'a bigint, which JSON cannot represent: emit a number or a string'
    case 'object':
      return value === null ? undefined : problemWithObject(value, depth)
    default:
      return `${typeof value}, which JSON cannot represent`
  }
}

function problemWithObject(value: object, depth: number): string | undefined {
  if (depth > DEEPEST) return 'an object that is nested too deeply, or contains itself'
  if (value instanceof Uint8Array) return 'bytes: emit base64'
  if (value instanceof Map || value instanceof Set) {
    return `a ${value.constructor.name}: emit an array or a plain object`
  }
  if ('toJSON' in value) return undefined
  const elements: readonly unknown[] = Array.isArray(value)
    ? value
    : Object.values(value).filter((one) => one !== undefined)
  for (const element of elements) {
    const problem = problemWith(element, depth + 1)
    if (problem !== undefined) return problem
  }
  return undefined
}
