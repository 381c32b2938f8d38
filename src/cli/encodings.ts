/** How the bytes of a key or a value are shown where they are not text: `%s{hex}`, `--value int64`. */
import { UsageError } from './failure.ts'

export type ShownAs = (bytes: Uint8Array) => Uint8Array

const ENCODINGS: Readonly<Record<string, ShownAs>> = {
  text: (bytes) => bytes,
  hex: (bytes) => Buffer.from(viewOf(bytes).toString('hex')),
  base64: (bytes) => Buffer.from(viewOf(bytes).toString('base64')),
  // In one line, without the spaces that it came with.
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
  return Object.hasOwn(ENCODINGS, name) ? ENCODINGS[name] : undefined
}

/** kcat's letters of -s, as Python's struct has them; undefined for what is not one of them. */
const PACK: Readonly<Record<string, string>> = {
  b: 'int8',
  h: 'int16',
  i: 'int32',
  q: 'int64',
  s: 'text',
}

/**
 * What kcat's `-s` asks for: `s`, `key=i`, `value=>q`. Throws UsageError for layouts of several fields and for
 * registries, which this command does not read.
 */
export function serdesOf(text: string): { readonly key?: string; readonly value?: string } {
  const match = /^(?:(key|value)=)?>?([bhiqs])\$?$/.exec(text)
  if (match === null) {
    throw new UsageError(
      `-s takes one of b, h, i, q and s, such as -s key=i, not '${text}': see --key and --value, too`,
    )
  }
  const encoding = PACK[match[2]!]!
  if (match[1] === undefined) return { key: encoding, value: encoding }
  return match[1] === 'key' ? { key: encoding } : { value: encoding }
}

/** The same bytes with what Buffer can do, without a copy. */
export function viewOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}

/** One damaged message must not end the command: it is shown in base64, with what it is not. */
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
