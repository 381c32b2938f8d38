import { readFileSync } from 'node:fs'

/** How often the clock is looked at, in messages. */
const CLOCK_EVERY = 256

/** The values of a task, a line of its file each, as Buffers of their own. */
export function readValues({ valuesFile }) {
  const lines = readFileSync(valuesFile, 'latin1').trimEnd().split('\n')
  return lines.map((line) => Buffer.from(line, 'latin1'))
}

/** Returns a limited number of values, the same ones repeatedly, until the time is over. */
export class Quota {
  valueBytes
  #values
  #left
  #given = 0
  #endsAt

  constructor(values, count, limitMs) {
    this.#values = values
    this.valueBytes = values[0].length
    this.#left = count
    this.#endsAt = performance.now() + limitMs
  }

  get given() {
    return this.#given
  }

  /** The next value, or undefined: then what was sent is to be flushed. */
  next() {
    if (this.#left === 0) return undefined
    const index = this.#given
    if (index % CLOCK_EVERY === 0 && index > 0 && performance.now() > this.#endsAt) {
      this.#left = 0
      return undefined
    }
    this.#left--
    this.#given++
    return this.#values[index % this.#values.length]
  }

  /** For clients that take whatever can be iterated over. */
  [Symbol.iterator]() {
    return {
      next: () => {
        const value = this.next()
        return { done: value === undefined, value }
      },
    }
  }

  /** Up to `count` values, or undefined. */
  take(count) {
    const size = Math.min(count, this.#left)
    if (size === 0 || (this.#given > 0 && performance.now() > this.#endsAt)) return undefined
    const values = this.#values
    const from = this.#given
    this.#left -= size
    this.#given += size
    return Array.from({ length: size }, (_, index) => values[(from + index) % values.length])
  }
}

/** Calls `one` for each value, at most `inFlight` at a time; for clients whose own limits are none. */
export async function concurrently(inFlight, next, one) {
  const worker = async () => {
    for (let item = next(); item !== undefined; item = next()) await one(item)
  }
  await Promise.all(Array.from({ length: inFlight }, worker))
}
