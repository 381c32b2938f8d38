import { describe, expect, it } from '@jest/globals'
import { setTimeout as delay } from 'node:timers/promises'
import { Progress } from '../../../src/terminal/progress.ts'
import { textWidth } from '../../../src/terminal/width.ts'

describe('progress on a terminal', () => {
  /** What a terminal of this width gets, at the end. */
  function endOf(columns: number, messages: number): string {
    let written = ''
    const stream = { columns, write: (text: string) => Boolean((written += text)) }
    const progress = new Progress('sent', stream, { messages })
    for (let index = 0; index < messages; index++) progress.add(10)
    progress[Symbol.dispose]()
    return written
  }

  it.each([20, 40, 80, 200])('fits %d columns, with the rate', (columns) => {
    const line = endOf(columns, 1_000).replaceAll(/^\r|\p{Cc}\[K\n$/gu, '')
    expect(textWidth(line)).toBeLessThan(columns)
    expect(line).toMatch(columns >= 80 ? /^100%, sent 1,000 messages, 10.0 KB/ : /^100%, 1,000, \d/)
  })

  it('shows the remaining time at the rate so far', async () => {
    let written = ''
    const stream = { columns: 80, write: (text: string) => Boolean((written += text)) }
    using progress = new Progress('sent', stream, { messages: 100 })
    for (let index = 0; index < 50; index++) progress.add(1)
    while (!written.includes(' left')) await delay(20)
    expect(written).toMatch(
      /50%, sent 50 messages, 50 bytes, \d+ a second, [\d.]+ s, [\d.]+ s left/,
    )
  })

  it('shows nothing without a terminal', () => {
    using progress = new Progress('sent', undefined)
    progress.add(1)
    expect(progress.messages).toBe(1)
  })
})
