import type { WriteStream } from 'node:tty'

const TERMINAL_EVERY_MS = 200
const LOG_EVERY_MS = 1_000

export interface Picture {
  /** The lines for a terminal, at most 80 columns wide. */
  readonly rows: () => readonly string[]
  /** The same in one line, for other outputs. */
  readonly line: () => string
}

/** Shows a changing picture: in place on a terminal, one line per second elsewhere. */
export class Screen implements Disposable {
  readonly #stream: Pick<WriteStream, 'write' | 'isTTY'>
  #picture: Picture | undefined
  #timer: NodeJS.Timeout | undefined
  #rowsShown = 0

  constructor(stream: Pick<WriteStream, 'write' | 'isTTY'>) {
    this.#stream = stream
  }

  show(picture: Picture): void {
    this.#picture = picture
    this.#draw()
    const everyMs = this.#stream.isTTY ? TERMINAL_EVERY_MS : LOG_EVERY_MS
    this.#timer = setInterval(() => this.#draw(), everyMs)
  }

  /** Prints a permanent line above the picture. */
  say(text: string): void {
    if (this.#stream.isTTY && this.#rowsShown > 0) {
      this.#stream.write(`\x1b[${this.#rowsShown}A\x1b[J`)
      this.#rowsShown = 0
    }
    this.#stream.write(`${text}\n`)
    if (this.#stream.isTTY && this.#picture !== undefined) this.#draw()
  }

  /** Leaves the last picture on the screen. */
  end(): void {
    clearInterval(this.#timer)
    if (this.#picture !== undefined) this.#draw()
    this.#picture = undefined
    this.#rowsShown = 0
  }

  [Symbol.dispose](): void {
    this.end()
  }

  #draw(): void {
    if (this.#picture === undefined) return
    if (!this.#stream.isTTY) {
      this.#stream.write(`${this.#picture.line()}\n`)
      return
    }
    const rows = this.#picture.rows()
    const up = this.#rowsShown === 0 ? '' : `\x1b[${this.#rowsShown}A`
    this.#stream.write(`${up}${rows.map((row) => `${row}\x1b[K\n`).join('')}\x1b[J`)
    this.#rowsShown = rows.length
  }
}
