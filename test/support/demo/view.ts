import type { WriteStream } from 'node:tty'
import type { Tally } from './tally.ts'

const TERMINAL_EVERY_MS = 200
const LOG_EVERY_MS = 1_000
const CHECK_EVERY_MS = 20

/** Shows both tallies while they grow: in place on a terminal, a line a second elsewhere. */
export class View implements Disposable {
  readonly #sent: Tally
  readonly #received: Tally
  readonly #stream: Pick<WriteStream, 'write' | 'isTTY'>
  readonly #startedAt = performance.now()
  readonly #timer: NodeJS.Timeout
  #check: NodeJS.Timeout | undefined
  readonly #done = new AbortController()
  #linesShown = 0

  constructor(sent: Tally, received: Tally, stream: Pick<WriteStream, 'write' | 'isTTY'>) {
    this.#sent = sent
    this.#received = received
    this.#stream = stream
    const everyMs = stream.isTTY ? TERMINAL_EVERY_MS : LOG_EVERY_MS
    this.#timer = setInterval(() => this.#show(), everyMs)
  }

  /** Aborted when as many messages as were expected have come, or none will. */
  get signal(): AbortSignal {
    return this.#done.signal
  }

  /** From now on it is known how many messages there are. */
  expect(messages: number, interrupted: AbortSignal, timeoutMs: number): void {
    const giveUpAt = performance.now() + timeoutMs
    const check = (): void => {
      const isOver = interrupted.aborted || performance.now() > giveUpAt
      if (isOver || this.#received.messages >= messages) this.#done.abort()
    }
    check()
    this.#check = setInterval(check, CHECK_EVERY_MS)
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
    clearInterval(this.#check)
    this.#show()
  }

  #show(): void {
    const [sent, received] = [this.#sent, this.#received]
    if (!this.#stream.isTTY) {
      this.#stream.write(
        `${this.#row('sent', sent).trim()}; ${this.#row('received', received).trim()}\n`,
      )
      return
    }
    const rows = [this.#row('sent', sent), this.#row('received', received), '']
    for (const [partition, count] of sent.counts) {
      const back = received.counts.get(partition) ?? 0
      rows.push(
        `  partition ${partition}   offset ${number(count, 10)}   read to ${number(back, 10)}   ` +
          bar(back, count),
      )
    }
    const up = this.#linesShown === 0 ? '' : `\x1b[${this.#linesShown}A`
    this.#stream.write(`${up}${rows.map((row) => `${row}\x1b[K\n`).join('')}`)
    this.#linesShown = rows.length
  }

  #row(verb: string, { messages, bytes }: Tally): string {
    const elapsed = (performance.now() - this.#startedAt) / 1000
    const rate = number(Math.round(messages / elapsed), 9)
    const volume = (bytes / elapsed / 1e6).toFixed(1).padStart(6)
    return `  ${verb.padEnd(9)}${number(messages, 11)} messages ${rate} a second ${volume} MB/s`
  }
}

function number(value: number, width: number): string {
  return value.toLocaleString('en').padStart(width)
}

const BAR_WIDTH = 24

/** How much of what was sent has been read. */
function bar(part: number, whole: number): string {
  const filled = whole === 0 ? 0 : Math.floor((part / whole) * BAR_WIDTH)
  return '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled)
}
