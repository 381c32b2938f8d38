/** What the compiler refuses: `npm run typecheck` fails where an expected error does not come. */
import { describe, expect, it } from '@jest/globals'
import {
  Bolt,
  defineTopology,
  fields,
  shellComponent,
  shuffle,
  Spout,
  stream,
  StormError,
  type Tuple,
} from '../../../src/storm/index.ts'

const words = { default: stream<{ word: string }>('word') }
const counts = {
  default: stream<{ word: string; count: number }>('word', 'count'),
  sum: stream<{ total: number }>('total'),
}

class Words extends Spout<typeof words> {
  static readonly outputs = words
  override nextTuple(): void {
    this.emit({ word: 'cow' })
    this.emit(['cow'])
    // @ts-expect-error: the field is a string
    void this.emit({ word: 1 })
    // @ts-expect-error: there is no such stream
    void this.emit({ word: 'cow' }, { stream: 'sum' })
  }
}

class Counts extends Bolt<{ word: string }, typeof counts> {
  static readonly outputs = counts
  override process({ fields: { word } }: Tuple<{ word: string }>): void {
    this.emit({ word, count: 1 })
    this.emit({ total: 1 }, { stream: 'sum' })
    // @ts-expect-error: that stream has other fields
    void this.emit({ word, count: 1 }, { stream: 'sum' })
  }
}

class Limited extends Bolt<{ count: number }> {
  readonly limit: number
  constructor(limit: number) {
    super()
    this.limit = limit
  }
  override process(_tuple: Tuple<{ count: number }>): void {}
}

class Loose extends Bolt {
  override process(): void {}
}

const spouts = { words: { component: Words } }
const split = { component: Counts, inputs: { words: fields('word') } } as const

describe('the types of a topology', () => {
  it('accept existing streams and fields, and arguments of constructors', () => {
    const topology = defineTopology({
      name: 'typed',
      spouts: { words: { component: Words, parallelism: { default: 1, production: 4 } } },
      bolts: {
        count: { component: Counts, inputs: { words: fields('word') } },
        limit: { component: Limited, args: [3], inputs: { count: fields('word', 'count') } },
        all: { component: Loose, inputs: ['words', 'count', 'count:sum'] },
        perl: {
          component: shellComponent({ command: 'perl', script: 'x.pl', outputs: ['a', 'b'] }),
          inputs: { 'count:sum': shuffle() },
        },
        last: { component: Loose, inputs: { perl: fields('a') } },
      },
    })
    expect(topology.components).toHaveLength(6)
    expect(topology.create('limit')).toMatchObject({ limit: 3 })
  })

  it.each([
    [
      'a component that does not exist',
      "the topology has no component 'wrods'",
      () =>
        defineTopology({
          name: 't',
          spouts,
          // @ts-expect-error: it is called words
          bolts: { a: { component: Loose, inputs: { wrods: shuffle() } } },
        }),
    ],
    [
      'a component that does not exist, in a list',
      "the topology has no component 'wrods'",
      () =>
        defineTopology({
          name: 't',
          spouts,
          // @ts-expect-error: it is called words
          bolts: { a: { component: Loose, inputs: ['wrods'] } },
        }),
    ],
    [
      'a stream that does not exist',
      "'split' has no stream 'sums'",
      () =>
        defineTopology({
          name: 't',
          spouts,
          // @ts-expect-error: it is called sum
          bolts: { split, a: { component: Loose, inputs: { 'split:sums': shuffle() } } },
        }),
    ],
    [
      'a field to group by that does not exist',
      "groups 'words' by 'wrod', but its fields are word",
      () =>
        defineTopology({
          name: 't',
          spouts,
          // @ts-expect-error: it is called word
          bolts: { a: { component: Loose, inputs: { words: fields('wrod') } } },
        }),
    ],
    [
      'a grouping that is none',
      "has no grouping for 'words'",
      () =>
        defineTopology({
          name: 't',
          spouts,
          // @ts-expect-error: no grouping
          bolts: { a: { component: Loose, inputs: { words: 'word' } } },
        }),
    ],
    [
      'a spout in the place of a bolt',
      'is not a class that extends Bolt',
      () =>
        defineTopology({
          name: 't',
          spouts,
          // @ts-expect-error: this is a spout
          bolts: { a: { component: Words, inputs: ['words'] } },
        }),
    ],
    [
      'a bolt in the place of a spout',
      'is not a class that extends Spout',
      // @ts-expect-error: this is a bolt
      () => defineTopology({ name: 't', spouts: { a: { component: Counts } }, bolts: {} }),
    ],
  ])('reject %s, and so does defineTopology', (_, message, define) => {
    expect(define).toThrow(StormError)
    expect(define).toThrow(message)
  })

  it('reject a field of another type, a missing field of the stream, and missing arguments', () => {
    class Numbers extends Bolt<{ word: number }> {
      override process(_tuple: Tuple<{ word: number }>): void {}
    }
    // Values are not looked at before the topology runs, so that nothing is thrown here.
    // @ts-expect-error: word is a string
    defineTopology({ name: 't', spouts, bolts: { a: { component: Numbers, inputs: ['words'] } } })
    defineTopology({
      name: 't',
      spouts,
      // @ts-expect-error: words has no field count
      bolts: { a: { component: Limited, args: [1], inputs: { words: shuffle() } } },
    })
    const topology = defineTopology({
      name: 't',
      spouts,
      // @ts-expect-error: Limited wants a number
      bolts: { split, a: { component: Limited, inputs: ['split'] } },
    })
    expect(topology.name).toBe('t')
  })
})
