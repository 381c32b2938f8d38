/** How long each kind of run may take, before any was measured. */
interface Kind {
  readonly name: string
  readonly guessMs: number
  /** It comes once in each. */
  readonly rounds: number
}

/** One line on standard error: what runs, and how long it all still takes. */
export class Progress {
  readonly #stream: NodeJS.WriteStream
  readonly #total: number
  readonly #startedAt = performance.now()
  /** How many runs of a kind are to come, and what the last one took. */
  readonly #left: Map<Kind, number>
  readonly #tookMs = new Map<Kind, number>()
  #done = 0

  constructor(stream: NodeJS.WriteStream, kinds: readonly Kind[]) {
    this.#stream = stream
    this.#total = kinds.reduce((sum, { rounds }) => sum + rounds, 0)
    this.#left = new Map(kinds.map((kind) => [kind, kind.rounds]))
    this.say(`${this.#total} runs, about ${inWords(this.#leftMs())}`)
  }

  begin(kind: Kind, detail: string): void {
    const width = String(this.#total).length
    const count = `${String(this.#done + 1).padStart(width)}/${this.#total}`
    this.#show(`${count}  ${kind.name}, ${detail}; about ${inWords(this.#leftMs())} left`)
  }

  end(kind: Kind, tookMs: number): void {
    this.#done++
    this.#tookMs.set(kind, tookMs)
    this.#left.set(kind, (this.#left.get(kind) ?? 1) - 1)
  }

  /** A run that isn't worth its time any more. */
  leaveOut(kind: Kind): void {
    this.end(kind, 0)
  }

  /** A line that stays. */
  say(text: string): void {
    this.#clear()
    this.#stream.write(`${text}\n`)
  }

  close(): void {
    this.say(`${this.#done} runs in ${inWords(performance.now() - this.#startedAt)}`)
  }

  /** What was guessed is taken as many times as guesses have been wrong so far. */
  #leftMs(): number {
    const known = [...this.#tookMs]
    const guessed = known.reduce((sum, [{ guessMs }]) => sum + guessMs, 0)
    const took = known.reduce((sum, [, ms]) => sum + ms, 0)
    const factor = known.length < LEAST_KNOWN ? 1 : took / guessed
    return [...this.#left].reduce(
      (sum, [kind, runs]) => sum + runs * (this.#tookMs.get(kind) ?? factor * kind.guessMs),
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

/** This many say more about this machine than the guesses do. */
const LEAST_KNOWN = 10

export function inWords(ms: number): string {
  const seconds = Math.ceil(ms / 1000)
  return seconds < 100 ? `${seconds} s` : `${Math.round(seconds / 60)} min`
}
