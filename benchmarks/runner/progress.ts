/** One line on standard error: what runs, and how long it all still takes. */
export class Progress {
  readonly #stream: NodeJS.WriteStream
  readonly #total: number
  readonly #guessMs: number
  readonly #startedAt = performance.now()
  /** How many runs of a kind are to come, and what the last one took. */
  readonly #left: Map<string, number>
  readonly #tookMs = new Map<string, number>()
  #done = 0
  #begunAt = 0

  /** Each kind of run comes once a round. */
  constructor(
    stream: NodeJS.WriteStream,
    kinds: readonly string[],
    rounds: number,
    guessMs: number,
  ) {
    this.#stream = stream
    this.#total = kinds.length * rounds
    this.#left = new Map(kinds.map((kind) => [kind, rounds]))
    this.#guessMs = guessMs
  }

  begin(kind: string, detail: string): void {
    this.#begunAt = performance.now()
    const width = String(this.#total).length
    const count = `${String(this.#done + 1).padStart(width)}/${this.#total}`
    this.#show(`${count}  ${kind}, ${detail}; about ${inWords(this.#leftMs())} left`)
  }

  end(kind: string, tookMs = performance.now() - this.#begunAt): void {
    this.#done++
    this.#tookMs.set(kind, tookMs)
    this.#left.set(kind, (this.#left.get(kind) ?? 1) - 1)
  }

  /** A line that stays. */
  say(text: string): void {
    this.#clear()
    this.#stream.write(`${text}\n`)
  }

  close(): void {
    this.say(`${this.#done} runs in ${inWords(performance.now() - this.#startedAt)}`)
  }

  #leftMs(): number {
    const known = [...this.#tookMs.values()]
    const mean = known.length === 0 ? this.#guessMs : known.reduce((a, b) => a + b) / known.length
    return [...this.#left].reduce(
      (sum, [kind, runs]) => sum + runs * (this.#tookMs.get(kind) ?? mean),
      0,
    )
  }

  #show(text: string): void {
    if (!this.#stream.isTTY) {
      this.#stream.write(`${text}\n`)
      return
    }
    this.#clear()
    this.#stream.write(text.slice(0, this.#stream.columns - 1))
  }

  #clear(): void {
    if (this.#stream.isTTY) this.#stream.write('\r\x1b[K')
  }
}

function inWords(ms: number): string {
  const seconds = Math.ceil(ms / 1000)
  return seconds < 100 ? `${seconds} s` : `${Math.round(seconds / 60)} min`
}
