import { describe, expect, it } from '@jest/globals'
import { moveLeadingOptions } from '../../../src/cli/leading-options.ts'

describe('connection options before the command', () => {
  it.each([
    ['--brokers kafka:9092 topics', 'topics --brokers kafka:9092'],
    ['-b kafka:9092 topics --json', 'topics -b kafka:9092 --json'],
    ['--brokers=kafka:9092 topic describe orders', 'topic describe orders --brokers=kafka:9092'],
    ['--tls -v --profile p lag -w', 'lag --tls -v --profile p -w'],
    ['-X a=b -X c=d produce t -- f', 'produce t -X a=b -X c=d -- f'],
    ['-P production topics', 'topics -P production'],
  ])('are moved behind its words: %s', (before, after) => {
    expect(moveLeadingOptions(before.split(' '))).toEqual(after.split(' '))
  })

  it.each(['topics -b a', '-b', '--json topics', '-P -b kafka:9092 -t topic'])(
    'are none in: %s',
    (line) => {
      expect(moveLeadingOptions(line.split(' '))).toEqual(line.split(' '))
    },
  )
})
