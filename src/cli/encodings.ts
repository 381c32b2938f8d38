/** The text form of the bytes of a key or a value that are not text: `%s{hex}`, `--value int64`. */
import { UsageError } from './failure.ts'

export type ShownAs = (bytes: Uint8Array) => Uint8Array

const ENCODINGS: Readonly<Record<string, ShownAs>> = {
  text: (bytes) => bytes,
  hex: (bytes) => Buffer.from(viewOf(bytes).toString('hex')),
  base64: (bytes) => Buffer.from(viewOf(bytes).toString('base64')),
  // On one line, without the original white space.
  json: (bytes) => orNote(bytes, 'json', (view) => JSON.stringify(JSON.parse(view.toString()))),
  int8: sized('int8', 1, (view) => view.readInt8()),
  int16: sized('int16', 2, (view) => view.readInt16BE()),
  int32: sized('int32', 4, (view) => view.readInt32BE()),
  int64: sized('int64', 8, (view) => view.readBigInt64BE()),
  float32: sized('float32', 4, (view) => view.readFloatBE()),
  float64: sized('float64', 8, (view) => view.readDoubleBE()),
}

export const ENCODING_NAMES: readonly string[] = Object.keys(ENCODINGS)

export function encodingOf(name: string): ShownAs | undefined {
  const letters = PACK.exec(name)?.[1]
  if (letters !== undefined) return packed(letters)
  return Object.hasOwn(ENCODINGS, name) ? ENCODINGS[name] : undefined
}

/** `pack:` and the letters of kcat's -s, such as `pack:>hI$`. */
const PACK = /^pack:([<>bBhHiIqQcs$ ]+)$/

/** The sizes of kcat's letters, which are those of Python's struct. `s` is the rest as text, `$` the end. */
const NUMBERS: Readonly<
  Record<
    string,
    readonly [bytes: number, read: (view: Buffer, at: number, isLittle: boolean) => number | bigint]
  >
> = {
  b: [1, (view, at) => view.readInt8(at)],
  B: [1, (view, at) => view.readUInt8(at)],
  h: [2, (view, at, isLittle) => (isLittle ? view.readInt16LE(at) : view.readInt16BE(at))],
  H: [2, (view, at, isLittle) => (isLittle ? view.readUInt16LE(at) : view.readUInt16BE(at))],
  i: [4, (view, at, isLittle) => (isLittle ? view.readInt32LE(at) : view.readInt32BE(at))],
  I: [4, (view, at, isLittle) => (isLittle ? view.readUInt32LE(at) : view.readUInt32BE(at))],
  q: [8, (view, at, isLittle) => (isLittle ? view.readBigInt64LE(at) : view.readBigInt64BE(at))],
  Q: [8, (view, at, isLittle) => (isLittle ? view.readBigUInt64LE(at) : view.readBigUInt64BE(at))],
}

function packed(letters: string): ShownAs {
  return (bytes) =>
    orNote(bytes, letters, (view) => {
      let [text, at, isLittle] = ['', 0, false]
      for (const letter of letters) {
        const number = NUMBERS[letter]
        if (letter === '<' || letter === '>') isLittle = letter === '<'
        else if (letter === ' ') text += ' '
        else if (letter === '$') {
          if (at < view.length) throw new RangeError('there is more')
        } else if (letter === 's') {
          text += view.toString('utf8', at)
          at = view.length
        } else if (letter === 'c') {
          text += view.toString('utf8', at, ++at)
        } else if (number !== undefined) {
          text += String(number[1](view, at, isLittle))
          at += number[0]
        }
      }
      return text
    })
}

/**
 * The argument of kcat's `-s`: `s`, `key=i`, `value=<hI$`. Throws UsageError for schema registries,
 * which this command does not support.
 */
export function serdesOf(text: string): { readonly key?: string; readonly value?: string } {
  const [, which, letters] = /^(?:(key|value)=)?(.*)$/.exec(text)!
  const encoding = letters === 's' ? 'text' : `pack:${letters}`
  if (encodingOf(encoding) === undefined) {
    throw new UsageError(
      `-s accepts the letters b, B, h, H, i, I, q, Q, c, s, $, < and >, such as -s key=i, not '${text}': see also --key and --value`,
    )
  }
  if (which === undefined) return { key: encoding, value: encoding }
  return which === 'key' ? { key: encoding } : { value: encoding }
}

/** A Buffer with the same bytes, without a copy. */
export function viewOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}

/**
 * One damaged message must not end the command: it is printed in base64, with the encoding that
 * failed.
 */
function orNote(bytes: Uint8Array, name: string, show: (view: Buffer) => string): Uint8Array {
  const view = viewOf(bytes)
  try {
    return Buffer.from(show(view))
  } catch {
    return Buffer.from(`(not ${name}: ${view.toString('base64')})`)
  }
}

function sized(name: string, length: number, read: (view: Buffer) => number | bigint): ShownAs {
  return (bytes) =>
    orNote(bytes, name, (view) => {
      if (view.length !== length) throw new RangeError(`${view.length} bytes`)
      return String(read(view))
    })
}
