import { describe, expect, it } from '@jest/globals'
import {
  compileFormat,
  valueLine,
  visibleValueLine,
  type Printable,
} from '../../../src/cli/format.ts'
import { visible } from '../../../src/terminal/visible.ts'

const MESSAGE: Printable = {
  topic: 'events',
  partition: 3,
  offset: 42,
  timestamp: 1700000000123,
  key: Buffer.from('k1'),
  value: Buffer.from([0xff, 0x00, 0x0a]),
  headers: [
    { key: 'a', value: Buffer.from('1') },
    { key: 'b', value: null },
    { key: 'a', value: Buffer.alloc(0) },
  ],
}
const NULLS: Printable = { ...MESSAGE, key: null, value: null, headers: [], timestamp: -1 }

function print(format: string, message: Printable = MESSAGE): string {
  return Buffer.concat(compileFormat(format)(message)).toString('latin1')
}

describe("a message's format", () => {
  it('has the fields of kcat', () => {
    expect(print('%t [%p] at %o: %k(%K) %S %T')).toBe('events [3] at 42: k1(2) 3 1700000000123')
    expect(print('%h')).toBe('a=1,b=NULL,a=')
  })

  it('keeps the bytes of a value', () => {
    expect(print('<%s>')).toBe('<\xff\0\n>')
  })

  it('prints nulls as empty, and their lengths as -1', () => {
    expect(print('%k|%K|%s|%S|%T|%h|%R', NULLS)).toBe('|-1||-1|-1||\xff\xff\xff\xff')
  })

  it('writes the length of a value in binary', () => {
    expect(print('%R')).toBe('\0\0\0\x03')
  })

  it('supports escapes and the percent sign', () => {
    expect(print('%%\\n\\t\\r\\\\\\0\\x41\\xfF1')).toBe('%\n\t\r\\\0A\xff1')
  })

  it('prints text that is not ASCII as UTF-8', () => {
    expect(Buffer.from(print('é→%o'), 'latin1').toString()).toBe('é→42')
  })

  it('rejects unknown fields by name', () => {
    expect(() => compileFormat('%o %q')).toThrow('the format has no field %q; it has %t %p')
    expect(() => compileFormat('%')).toThrow('ends with a single %')
    expect(() => compileFormat('\\e')).toThrow('the format has no escape \\e')
    expect(() => compileFormat('\\x4')).toThrow('the format has no escape \\x')
    expect(() => compileFormat('a\\')).toThrow('ends with a single \\')
    expect(() => compileFormat('%constructor')).toThrow('no field %c')
  })

  it('is the value and a newline by default', () => {
    expect(Buffer.concat(valueLine(MESSAGE))).toEqual(Buffer.from([0xff, 0x00, 0x0a, 0x0a]))
    expect(Buffer.concat(valueLine(NULLS))).toEqual(Buffer.from('\n'))
  })
})

describe('a message printed on a terminal', () => {
  const show = (format: string, message: Printable) =>
    Buffer.concat(compileFormat(format, { show: visible })(message)).toString()
  const hostile = '\x1b]0;title\x07\x9b2J\r\u202e'
  const shown = '\\x1b]0;title\\x07\\x9b2J\\x0d\\u202e'

  it('has its control characters escaped in every field, and those of the format unchanged', () => {
    const message: Printable = {
      ...MESSAGE,
      topic: hostile,
      key: Buffer.from(hostile),
      value: Buffer.from(hostile),
      headers: [{ key: hostile, value: Buffer.from(hostile) }],
    }
    expect(show('\\x1b[1m%t|%k|%s|%h\\x1b[0m', message)).toBe(
      `\x1b[1m${shown}|${shown}|${shown}|${shown}=${shown}\x1b[0m`,
    )
    expect(String(Buffer.concat(visibleValueLine(message)))).toBe(`${shown}\n`)
    // 27 bytes: an escape as a binary length.
    expect(show('%R', { ...MESSAGE, value: Buffer.alloc(27) })).toBe('\\x00\\x00\\x00\\x1b')
  })

  it('keeps line ends and tabs of text', () => {
    const text = Buffer.from('два\tдомика\n→ 値')
    expect(visible(text).toString()).toBe(text.toString())
  })

  it('has bytes that are not UTF-8 escaped one by one', () => {
    expect(String(visible(Buffer.from([0x61, 0x9b, 0xff, 0x1b, 0x0a])))).toBe('a\\x9b\\xff\\x1b\n')
  })
})

describe('a record that cannot be read in full', () => {
  it('is printed with a question mark for its timestamp and headers', () => {
    const unreadable: Printable = {
      ...MESSAGE,
      get timestamp(): number {
        throw new RangeError('past 2^53')
      },
      get headers(): never {
        throw new RangeError('damaged')
      },
    }
    expect(print('%o %T %h %k', unreadable)).toBe('42 ? ? k1')
  })
})
