/** A spout that emits one word after the other, and a bolt that counts them: what words.py does. */
import {
  Bolt,
  defineTopology,
  runTopology,
  Spout,
  stream,
  type StormConf,
  type Tuple,
} from '../../src/storm/index.ts'

const WORDS = ['the', 'cow', 'jumped', 'over', 'the', 'moon', 'an', 'apple', 'a', 'day']
const words = { default: stream<{ word: string }>('word') }
const REPORT_MS = 1_000

/** Logs how many there are so far, once in a second. */
class Meter {
  #count = 0
  #next = 0

  add(log: (text: string) => void): void {
    this.#count += 1
    // A clock that is asked for every tuple would be a part of what is measured.
    if (this.#count % 100 !== 0) return
    const now = Date.now()
    if (now < this.#next) return
    this.#next = now + REPORT_MS
    log(`METER ${now} ${this.#count}`)
  }
}

class Words extends Spout<typeof words> {
  static readonly outputs = words
  readonly #acked = new Meter()
  #next = 0
  #perNext = 1
  #isAcked = true

  override initialize(conf: StormConf): void {
    this.#perNext = Number(conf['bench.per.next'])
    this.#isAcked = conf['bench.acked'] === true
  }

  override nextTuple(): void {
    for (let count = 0; count < this.#perNext; count++) {
      const id = this.#next++
      this.emit([WORDS[id % WORDS.length]], this.#isAcked ? { id } : {})
    }
  }

  override ack(): void {
    this.#acked.add((text) => this.log(text))
  }
}

class Count extends Bolt<{ word: string }> {
  readonly #counts = new Map<string, number>()
  readonly #processed = new Meter()

  override process({ values: [word] }: Tuple<{ word: string }>): void {
    this.#counts.set(String(word), (this.#counts.get(String(word)) ?? 0) + 1)
    if (this.stormConf['bench.acked'] === false) this.#processed.add((text) => this.log(text))
  }
}

runTopology(
  defineTopology({
    name: 'bench',
    spouts: { words: { component: Words } },
    bolts: {
      count: { component: Count, inputs: ['words'] },
    },
  }),
)
