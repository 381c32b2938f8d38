import { describe, expect, it } from '@jest/globals'
import { compileFormat, valueLine, type Printable } from '../../../src/cli/format.ts'

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

  it('prints nulls as nothing, and their lengths as -1', () => {
    expect(print('%k|%K|%s|%S|%T|%h|%R', NULLS)).toBe('|-1||-1|-1||\xff\xff\xff\xff')
  })

  it('writes the length of a value in binary', () => {
    expect(print('%R')).toBe('\0\0\0\x03')
  })

  it('knows escapes and the percent sign', () => {
    expect(print('%%\\n\\t\\r\\\\\\0\\x41\\xfF1')).toBe('%\n\t\r\\\0A\xff1')
  })

  it('takes text that is not ASCII as UTF-8', () => {
    expect(Buffer.from(print('é→%o'), 'latin1').toString()).toBe('é→42')
  })

  it('refuses what it does not know by name', () => {
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
