/** A spout that emits one word after the other, and a bolt that counts them: what words.py and count.py do. */
import {
  Bolt,
  defineTopology,
  runTopology,
  Spout,
  stream,
  type StormConf,
  type Tuple,
} from 'samsa/storm'

const WORDS = ['the', 'cow', 'jumped', 'over', 'the', 'moon', 'an', 'apple', 'a', 'day']
const words = { default: stream<{ word: string }>('word') }
const REPORT_MS = 1_000

/** Logs once in a second how many there were, the CPU time of the process in ms, and its memory in bytes. */
class Meter {
  #count = 0
  #next = 0

  add(log: (text: string) => void): void {
    this.#count += 1
    // Looking at the clock for every tuple would be a part of what is measured.
    if (this.#count % 100 !== 0) return
    const now = Date.now()
    if (now < this.#next) return
    this.#next = now + REPORT_MS
    const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage()
    log(`METER ${now} ${this.#count} ${userCPUTime / 1e3} ${systemCPUTime / 1e3} ${maxRSS * 1024}`)
  }
}

class Words extends Spout<typeof words> {
  static readonly outputs = words
  readonly #acked = new Meter()
  readonly #emitted = new Meter()
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
      if (!this.#isAcked) this.#emitted.add((text) => this.log(text))
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
    this.#processed.add((text) => this.log(text))
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
