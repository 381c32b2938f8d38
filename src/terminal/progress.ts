import type { WriteStream } from 'node:tty'

const EVERY_MS = 250

/** Counts messages and bytes, and shows them on a terminal: a line that is written again and again. */
export class Progress implements Disposable {
  readonly #verb: string
  readonly #stream: Pick<WriteStream, 'write'> | undefined
  readonly #startedAt = performance.now()
  #timer: NodeJS.Timeout | undefined
  messages = 0
  bytes = 0

  /** `stream` is the terminal; without one nothing is shown. */
  constructor(verb: string, stream: Pick<WriteStream, 'write'> | undefined) {
    this.#verb = verb
    this.#stream = stream
    if (stream === undefined) return
    this.#timer = setInterval(() => stream.write(`\r${this.#line()}\x1b[K`), EVERY_MS).unref()
  }

  add(bytes: number): void {
    this.messages++
    this.bytes += bytes
  }

  /** Ends the line with the total. Safe to call again. */
  [Symbol.dispose](): void {
    if (this.#timer === undefined) return
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#stream?.write(`\r${this.#line()}\x1b[K\n`)
  }

  #line(): string {
    const seconds = (performance.now() - this.#startedAt) / 1000
    const rate = Math.round(this.messages / Math.max(seconds, 0.001))
    const count = this.messages.toLocaleString('en')
    return `${this.#verb} ${count} messages, ${inUnits(this.bytes)}, ${rate.toLocaleString('en')} a second, ${seconds.toFixed(1)} s`
  }
}

function inUnits(bytes: number): string {
  const units = ['bytes', 'KB', 'MB', 'GB', 'TB']
  let value = bytes
  let unit = 0
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`
}
