import { describe, expect, it } from '@jest/globals'
import { LineSplitter, splitKey } from '../../../src/cli/lines.ts'

/** The lines of a text that arrives in these chunks. */
function linesOf(
  chunks: readonly (string | Buffer)[],
  maxLineBytes = 1000,
  delimiter = '\n',
): string[] {
  const splitter = new LineSplitter(maxLineBytes, Buffer.from(delimiter))
  const lines: Buffer[] = []
  for (const chunk of chunks) lines.push(...splitter.push(Buffer.from(chunk)))
  const last = splitter.finish()
  if (last !== undefined) lines.push(last)
  return lines.map((line) => line.toString('latin1'))
}

describe('cutting a byte stream into lines', () => {
  it('takes the last line with or without its newline', () => {
    expect(linesOf(['one\ntwo\n'])).toEqual(['one', 'two'])
    expect(linesOf(['one\ntwo'])).toEqual(['one', 'two'])
    expect(linesOf([])).toEqual([])
    expect(linesOf(['', ''])).toEqual([])
  })

  it('keeps empty lines and carriage returns', () => {
    expect(linesOf(['\n\na\r\n\n'])).toEqual(['', '', 'a\r', ''])
  })

  it('returns the same lines for every division into chunks', () => {
    const text = 'a\n\nbcd\r\n\xff\n\0\nlast'
    const bytes = Buffer.from(text, 'latin1')
    for (let first = 0; first <= bytes.length; first++) {
      for (let second = first; second <= bytes.length; second++) {
        const chunks = [
          bytes.subarray(0, first),
          bytes.subarray(first, second),
          bytes.subarray(second),
        ]
        expect(linesOf(chunks)).toEqual(text.split('\n'))
      }
    }
  })

  it('finds a delimiter of several bytes for every division into chunks', () => {
    const text = 'a||b|||c|d||||last|'
    for (let first = 0; first <= text.length; first++) {
      for (let second = first; second <= text.length; second++) {
        const chunks = [text.slice(0, first), text.slice(first, second), text.slice(second)]
        expect(linesOf(chunks, 1000, '||')).toEqual(text.split('||'))
      }
    }
  })

  it('keeps bytes that are not UTF-8', () => {
    const [line] = new LineSplitter(10).push(Buffer.from([0xff, 0xfe, 0x00, 0x80, 0x0a]))
    expect(line).toEqual(Buffer.from([0xff, 0xfe, 0x00, 0x80]))
  })

  it('rejects a line that is too long, whole or in parts, with its number', () => {
    expect(linesOf(['12345\n'], 5)).toEqual(['12345'])
    expect(() => linesOf(['a\n123456\n'], 5)).toThrow('line 2 is longer than 5 bytes')
    expect(() => linesOf(['123', '456'], 5)).toThrow('line 1 is longer than 5 bytes')
  })
})

describe('splitting off a key', () => {
  const split = (line: string, separator: string) => {
    const { key, value } = splitKey(Buffer.from(line), Buffer.from(separator))
    return [key?.toString() ?? null, value.toString()]
  }

  it('splits at the first separator', () => {
    expect(split('key:value:more', ':')).toEqual(['key', 'value:more'])
    expect(split('key => value', ' => ')).toEqual(['key', 'value'])
  })

  it('returns no key without a separator, and empty ones around it', () => {
    expect(split('value', ':')).toEqual([null, 'value'])
    expect(split(':value', ':')).toEqual(['', 'value'])
    expect(split('key:', ':')).toEqual(['key', ''])
  })
})
