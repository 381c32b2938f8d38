import type { Message } from '../index.ts'
import { visible } from '../terminal/visible.ts'
import { ENCODING_NAMES, encodingOf } from './encodings.ts'
import { UsageError } from './failure.ts'

/** The fields of a message that can be printed. */
export type Printable = Pick<
  Message,
  'topic' | 'partition' | 'offset' | 'timestamp' | 'key' | 'value' | 'headers'
>

/** The printed parts of a message, in order. */
export type Format = (message: Printable) => readonly Uint8Array[]

type Part = (message: Printable) => Uint8Array

const NOTHING = Buffer.alloc(0)
const UNREADABLE = Buffer.from('?')
const NULL = Buffer.from('NULL')
const NEWLINE = Buffer.from('\n')

/** The default format: the value and a newline. */
export const valueLine: Format = ({ value }) => [value ?? NOTHING, NEWLINE]

/** The default format for a terminal: see `visible`. */
export const visibleValueLine: Format = ({ value }) => [visible(value ?? NOTHING), NEWLINE]

export interface FormatOptions {
  /**
   * For a terminal: escapes control characters in the fields; the text of the format itself stays
   * as it is.
   */
  readonly show?: ((bytes: Uint8Array) => Uint8Array) | undefined
  /** Whether to write NULL for a null key or value, like kcat's -Z. Default: false, nothing. */
  readonly namesNull?: boolean
}

/** The fields of kcat, and more, by the letter after the percent sign. */
const FIELDS: Readonly<Record<string, Part>> = {
  t: ({ topic }) => Buffer.from(topic),
  p: ({ partition }) => Buffer.from(String(partition)),
  o: ({ offset }) => Buffer.from(String(offset)),
  k: ({ key }) => key ?? NOTHING,
  K: ({ key }) => Buffer.from(String(key?.length ?? -1)),
  s: ({ value }) => value ?? NOTHING,
  v: ({ value }) => value ?? NOTHING,
  S: ({ value }) => Buffer.from(String(value?.length ?? -1)),
  R: ({ value }) => int32(value?.length ?? -1),
  T: (message) => readable(() => Buffer.from(String(message.timestamp))),
  h: (message) => readable(() => headersOf(message.headers)),
  H: (message) => readable(() => Buffer.from(String(message.headers.length))),
  '%': () => Buffer.from('%'),
}

const ESCAPES: Readonly<Record<string, number>> = { n: 0x0a, t: 0x09, r: 0x0d, '\\': 0x5c, '0': 0 }

/** Compiles a format such as `%k\\t%s{hex}\\n`. Throws UsageError with the unknown part. */
export function compileFormat(
  format: string,
  { show = (bytes) => bytes, namesNull = false }: FormatOptions = {},
): Format {
  const parts: Part[] = []
  let literal: Buffer[] = []
  const endLiteral = (): void => {
    if (literal.length === 0) return
    const bytes = Buffer.concat(literal)
    parts.push(() => bytes)
    literal = []
  }
  for (const [token] of format.matchAll(TOKEN)) {
    if (token.startsWith('%')) {
      endLiteral()
      const field = fieldOf(token, namesNull)
      parts.push((message) => show(field(message)))
    } else {
      literal.push(token.startsWith('\\') ? escaped(token) : Buffer.from(token))
    }
  }
  endLiteral()
  return (message) => parts.map((part) => part(message))
}

/** As in kcat, a brace after a field is text, unless it names an encoding. */
const TOKEN = new RegExp(
  `%[ksv]\\{(?:${ENCODING_NAMES.join('|')}|pack:[^}]+)\\}|%T\\{iso\\}|%.?|\\\\x[0-9a-fA-F]{2}|\\\\.?|[^%\\\\]+`,
  'gsu',
)

function fieldOf(token: string, namesNull: boolean): Part {
  const letter = token.slice(1, 2)
  const encoding = token.length > 3 ? token.slice(3, -1) : undefined
  if (encoding === 'iso') return (message) => readable(() => isoTime(message.timestamp))
  if (encoding !== undefined || (namesNull && /^[ksv]$/.test(letter))) {
    return payload(letter === 'k' ? 'key' : 'value', encoding, namesNull)
  }
  const part = Object.hasOwn(FIELDS, letter) ? FIELDS[letter] : undefined
  if (part !== undefined) return part
  const known = Object.keys(FIELDS)
    .map((name) => `%${name}`)
    .join(' ')
  throw new UsageError(
    letter === ''
      ? `the format ends with a single %: write %% for a percent sign`
      : `the format has no field ${token}; it has ${known}`,
  )
}

function payload(name: 'key' | 'value', encoding: string | undefined, namesNull: boolean): Part {
  const encode = encodingOf(encoding ?? 'text')!
  return (message) => {
    const bytes = message[name]
    if (bytes === null) return namesNull ? NULL : NOTHING
    return encode(bytes)
  }
}

function isoTime(timestamp: number): Uint8Array {
  return Buffer.from(timestamp < 0 ? String(timestamp) : new Date(timestamp).toISOString())
}

/** The byte of an escape such as `\\t` or `\\x1f`. Throws UsageError. */
function escaped(token: string): Buffer {
  if (token.length === 4) return Buffer.from(token.slice(2), 'hex')
  const letter = token.slice(1)
  const byte = Object.hasOwn(ESCAPES, letter) ? ESCAPES[letter] : undefined
  if (byte !== undefined) return Buffer.from([byte])
  throw new UsageError(
    letter === ''
      ? 'the format ends with a single \\: write \\\\ for a backslash'
      : `the format has no escape ${token}; it has \\n \\t \\r \\\\ \\0 \\xNN`,
  )
}

/** Text with the escapes of a format, such as a separator `\\t`. */
export function unescaped(text: string): Buffer {
  const tokens = text.match(/\\x[0-9a-fA-F]{2}|\\.?|[^\\]+/gsu) ?? []
  return Buffer.concat(
    tokens.map((token) => (token.startsWith('\\') ? escaped(token) : Buffer.from(token))),
  )
}

/** In kcat's form: comma-separated `key=value`, NULL for null. */
function headersOf(headers: Printable['headers']): Buffer {
  return Buffer.concat(
    headers.flatMap(({ key, value }, index) => [
      Buffer.from(`${index === 0 ? '' : ','}${key}=`),
      value ?? NULL,
    ]),
  )
}

/** A record with damaged headers, or with a timestamp past 2^53, must not end the command. */
function readable(read: () => Uint8Array): Uint8Array {
  try {
    return read()
  } catch {
    return UNREADABLE
  }
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}
