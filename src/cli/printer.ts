/** The output of `consume` for a message, according to its options. */
import { visible, visibleText } from '../terminal/visible.ts'
import { encodingOf, ENCODING_NAMES, serdesOf, viewOf } from './encodings.ts'
import { UsageError } from './failure.ts'
import {
  compileFormat,
  unescaped,
  valueLine,
  visibleValueLine,
  type Format,
  type Printable,
} from './format.ts'
import { jsonLine } from './records.ts'

export interface PrintOptions {
  readonly format?: string
  readonly json?: boolean
  readonly delimiter?: string
  readonly keySeparator?: string
  readonly offsets?: boolean
  readonly null?: boolean
  readonly key?: string
  readonly value?: string
  readonly serdes?: readonly string[]
  readonly raw?: boolean
}

/** Throws UsageError for contradicting options. */
export function printerOf(options: PrintOptions, isTerminal: boolean): Format {
  const { format, json = false, raw = false } = options
  const show = isTerminal && !raw ? visible : undefined
  if (format !== undefined && json) throw new UsageError('give only one of --format and --json')
  const { key, value } = encodingsOf(options)
  if (json) {
    if (options.keySeparator !== undefined || options.delimiter !== undefined) {
      throw new UsageError('--json prints a line for each message: it cannot be used with -K or -D')
    }
    return jsonPrinter(key, value, show !== undefined)
  }
  const namesNull = options.null === true
  if (format !== undefined) {
    if (options.keySeparator !== undefined || options.delimiter !== undefined) {
      throw new UsageError('--format contains the separators: it cannot be used with -K or -D')
    }
    const encoded = format
      .replaceAll(/%k(?!\{)/g, key === undefined ? '$&' : `%k{${key}}`)
      .replaceAll(/%([sv])(?!\{)/g, value === undefined ? '$&' : `%$1{${value}}`)
    return compileFormat(encoded, { show, namesNull })
  }
  const { delimiter, keySeparator, offsets = false } = options
  const isPlain = keySeparator === undefined && delimiter === undefined && !offsets && !namesNull
  if (isPlain && value === undefined) return show === undefined ? valueLine : visibleValueLine
  const parts = [
    ...(offsets ? ['%o', literal(keySeparator ?? ' ')] : []),
    ...(keySeparator === undefined
      ? []
      : [key === undefined ? '%k' : `%k{${key}}`, literal(keySeparator)]),
    value === undefined ? '%s' : `%s{${value}}`,
    literal(delimiter ?? '\\n'),
  ]
  return compileFormat(parts.join(''), { show, namesNull })
}

/** A separator as part of a format: escapes are allowed, and percent signs are text. */
function literal(text: string): string {
  return [...unescaped(text)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')
}

function encodingsOf({ key, value, serdes = [] }: PrintOptions): {
  readonly key: string | undefined
  readonly value: string | undefined
} {
  for (const name of [key, value]) {
    if (name === undefined || encodingOf(name) !== undefined) continue
    throw new UsageError(`'${name}' must be one of ${ENCODING_NAMES.join(', ')}`)
  }
  let found: { readonly key?: string; readonly value?: string } = {}
  for (const text of serdes) found = { ...found, ...serdesOf(text) }
  return { key: key ?? found.key, value: value ?? found.value }
}

function jsonPrinter(key: string | undefined, value: string | undefined, isShown: boolean): Format {
  const encoded = (bytes: Uint8Array | null, name: string | undefined) =>
    bytes === null || name === undefined ? bytes : encodingOf(name)!(bytes)
  return (message: Printable) => {
    const { topic, partition, offset, timestamp, headers } = message
    const line =
      key === undefined && value === undefined
        ? jsonLine(message)
        : jsonLine({
            topic,
            partition,
            offset,
            timestamp,
            headers,
            key: asBuffer(encoded(message.key, key)),
            value: asBuffer(encoded(message.value, value)),
          })
    return [Buffer.from(isShown ? visibleText(line) : line)]
  }
}

function asBuffer(bytes: Uint8Array | null): Buffer | null {
  return bytes === null ? null : viewOf(bytes)
}
