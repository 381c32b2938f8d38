import { Bolt, stream, type Tuple } from 'samsa/storm'

const counts = { default: stream<{ key: string; value: number }>('key', 'value') }

/** Counts words. All tuples with the same word go to the same task. */
export class Count extends Bolt<{ word: string }, typeof counts> {
  static readonly outputs = counts
  readonly #counts = new Map<string, number>()

  override process({ fields: { word } }: Tuple<{ word: string }>) {
    const count = (this.#counts.get(word) ?? 0) + 1
    this.#counts.set(word, count)
    this.logger.info(`${word}: ${count}`)
    this.emit({ key: word, value: count })
  }
}
