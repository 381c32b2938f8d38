import { describe, expect, it } from '@jest/globals'
import { inputFormat } from '../../../src/cli/input-format.ts'
import { Percentiles } from '../../../src/cli/percentiles.ts'
import { remainingSeconds } from '../../../src/terminal/progress.ts'

describe('the format of input lines', () => {
  const parse = (format: string, line: string) => inputFormat(format)(Buffer.from(line), 1)

  it('finds fields between texts, and the last one takes the rest', () => {
    const parsed = parse('[%T] %k\\t%v', '[12] key\tvalue\twith tab')
    expect(parsed).toEqual({
      key: Buffer.from('key'),
      value: Buffer.from('value\twith tab'),
      timestamp: 12,
    })
    expect(parse('%%%v%%', '%a%').value?.toString()).toBe('a')
  })

  it.each([
    ['%k%v', 'needs a separator before %v'],
    ['%k %k', 'has %k twice'],
    ['%q', 'has no field %q'],
    ['text', 'has no field: the fields are %k'],
    ['%', 'ends with a single %'],
  ])('rejects the format %s', (format, message) => {
    expect(() => inputFormat(format)).toThrow(message)
  })

  it('rejects a line that does not match', () => {
    expect(() => parse('%p %v', 'x y')).toThrow("line 1 of the input does not match the format '%p")
  })
})

describe('percentiles', () => {
  it('are within a twentieth of the exact value', () => {
    const found = new Percentiles()
    for (let ms = 1; ms <= 1000; ms++) found.add(ms)
    for (const percent of [1, 50, 95, 99, 99.9]) {
      const ratio = found.at(percent)! / (percent * 10)
      expect(ratio).toBeGreaterThanOrEqual(1)
      expect(ratio).toBeLessThan(1.05)
    }
    expect(found.at(100)).toBe(1000)
    expect(new Percentiles().at(50)).toBeUndefined()
  })
})

describe('the remaining time', () => {
  it('follows from the finished share, once there is one', () => {
    const done = { messages: 25, bytes: 0 }
    expect(remainingSeconds(done, { messages: 100 }, 10)).toBe(30)
    expect(remainingSeconds(done, { messages: 100 }, 0.5)).toBeUndefined()
    expect(remainingSeconds(done, {}, 10)).toBeUndefined()
    expect(remainingSeconds({ messages: 0, bytes: 0 }, { bytes: 100 }, 10)).toBeUndefined()
  })
})
