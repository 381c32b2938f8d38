import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs'
import type { ConsumerEvent } from '../checker/history.ts'

/** What a client writes down: a line of JSON each. */
export type Line = ProducerLine | ConsumerEvent | StateLine

/** Its messages are named by lane and sequence. */
export type ProducerLine =
  | { readonly at: number; readonly what: 'sent'; readonly lane: string; readonly sequence: number }
  | {
      readonly at: number
      readonly what: 'acknowledged'
      readonly lane: string
      readonly sequence: number
      readonly partition: number
      readonly offset: number
    }
  | {
      readonly at: number
      readonly what: 'failed'
      readonly lane: string
      readonly sequence: number
      readonly isCertain: boolean
      readonly error: string
    }

export interface StateLine {
  readonly at: number
  /** It works, or has ended in order; a block of its event loop has begun or ended. */
  readonly what: 'started' | 'closed' | 'blocked' | 'unblocked' | 'figures' | 'note'
  readonly text?: string
  readonly heapBytes?: number
  readonly handles?: number
}

/** Milliseconds of CLOCK_MONOTONIC. */
export function now(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

type Unstamped<One> = One extends unknown ? Omit<One, 'at'> : never

/** Appends lines at once: a process may be killed at any time. */
export class LineWriter {
  readonly #file: number
  #pending: string[] = []

  constructor(file: string) {
    this.#file = openSync(file, 'a')
  }

  write(...lines: readonly Unstamped<Line>[]): void {
    this.later(...lines)
    this.flush()
  }

  /** With the time of now, but written at the end of the turn: for what a kill may take away. */
  later(...lines: readonly Unstamped<Line>[]): void {
    const at = now()
    if (this.#pending.length === 0) setImmediate(() => this.flush())
    for (const line of lines) this.#pending.push(`${JSON.stringify({ at, ...line })}\n`)
  }

  flush(): void {
    if (this.#pending.length === 0) return
    const text = this.#pending.join('')
    this.#pending = []
    writeSync(this.#file, text)
  }
}

/** Continues to read a file of lines, up to the end of the last complete line. */
export class LineReader {
  readonly #file: string
  #readBytes = 0

  constructor(file: string) {
    this.#file = file
  }

  next(): Line[] {
    const file = openSync(this.#file, 'a+')
    const more = Buffer.alloc(fstatSync(file).size - this.#readBytes)
    readSync(file, more, { position: this.#readBytes })
    closeSync(file)
    const whole = more.subarray(0, more.lastIndexOf('\n') + 1)
    this.#readBytes += whole.length
    const lines = whole.toString().split('\n').slice(0, -1)
    return lines.map((line) => JSON.parse(line) as Line)
  }
}
