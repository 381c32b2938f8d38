/** Counts words, and writes each count into the file that `test.results` names. */
import { appendFileSync } from 'node:fs'
import {
  Bolt,
  defineTopology,
  fields,
  ReliableSpout,
  runTopology,
  stream,
  type Tuple,
} from '../../../src/storm/index.ts'

const SENTENCES = [
  'the cow jumped over the moon',
  'an apple a day',
  'four score and seven',
  '雪 and ✨',
]
const ROUNDS = 50

const sentence = { default: stream<{ sentence: string }>('sentence') }
const word = { default: stream<{ word: string }>('word') }

class Sentences extends ReliableSpout<typeof sentence> {
  static readonly outputs = sentence
  #next = 0

  override nextTuple(): void {
    for (let count = 0; count < 10 && this.#next < SENTENCES.length * ROUNDS; count++) {
      const id = this.#next++
      this.emit({ sentence: SENTENCES[id % SENTENCES.length]! }, { id })
    }
  }
}

class Split extends Bolt<{ sentence: string }, typeof word> {
  static readonly outputs = word

  override async process({ fields: { sentence } }: Tuple<{ sentence: string }>): Promise<void> {
    // Awaits before each emit: the anchors are known all the same.
    for (const one of sentence.split(' ')) {
      await Promise.resolve()
      console.log(`splits off ${one}`)
      this.emit({ word: one })
    }
  }
}

class Count extends Bolt<{ word: string }> {
  static readonly outputs = ['word', 'count'] as const
  readonly #counts = new Map<string, number>()

  override process({ fields: { word } }: Tuple<{ word: string }>): void {
    const count = (this.#counts.get(word) ?? 0) + 1
    this.#counts.set(word, count)
    const results = this.stormConf['test.results'] as string
    appendFileSync(results, `${JSON.stringify([this.taskId, word, count])}\n`)
    this.emit([word, count])
  }
}

runTopology(
  defineTopology({
    name: 'word-count',
    spouts: { sentences: { component: Sentences } },
    bolts: {
      split: { component: Split, inputs: ['sentences'] },
      count: { component: Count, inputs: { split: fields('word') }, parallelism: 2 },
    },
    config: { 'topology.max.spout.pending': 100 },
  }),
)
