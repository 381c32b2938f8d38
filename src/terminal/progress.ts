import type { WriteStream } from 'node:tty'
import { fit, textWidth } from './width.ts'

const EVERY_MS = 250
/**
 * An early estimate of the remaining time would be wrong: this share must be done, and this time
 * must have passed.
 */
const LEAST_SHARE = 0.01
const LEAST_SECONDS = 1

/** The expected total, if it is known: the remaining time is estimated from it. */
export interface Total {
  readonly messages?: number | undefined
  readonly bytes?: number | undefined
}

/** The terminal for the output. */
export type ProgressStream = Pick<WriteStream, 'write'> & { readonly columns?: number }

/** Counts messages and bytes, and shows them on a terminal, in a line that is overwritten. */
export class Progress implements Disposable {
  readonly #verb: string
  readonly #stream: ProgressStream | undefined
  readonly #startedAt = performance.now()
  #timer: NodeJS.Timeout | undefined
  /** The expected total. */
  total: Total
  messages = 0
  bytes = 0

  /** Without a stream nothing is shown. */
  constructor(verb: string, stream: ProgressStream | undefined, total: Total = {}) {
    this.#verb = verb
    this.#stream = stream
    this.total = total
    if (stream === undefined) return
    this.#timer = setInterval(() => this.#show(''), EVERY_MS).unref()
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
    this.#show('\n')
  }

  #show(end: string): void {
    // Without a stream no timer calls this.
    const stream = this.#stream!
    const { columns = 80 } = stream
    // A line that wraps could not be overwritten.
    const width = Math.max(columns - 1, 10)
    const [long, short] = this.#lines(end !== '')
    const line = textWidth(long) <= width ? long : fit(short, width)
    stream.write(`\r${line}\x1b[K${end}`)
  }

  /**
   * The full text, and a short one for narrow terminals. The remaining time is left out at the end.
   */
  #lines(isEnd: boolean): readonly [long: string, short: string] {
    const seconds = (performance.now() - this.#startedAt) / 1000
    const remaining = isEnd ? undefined : remainingSeconds(this, this.total, seconds)
    const rest = remaining === undefined ? '' : `, ${timeText(remaining)} left`
    const rate = Math.round(this.messages / Math.max(seconds, 0.001)).toLocaleString('en')
    const count = this.messages.toLocaleString('en')
    const share = shareOf(this, this.total)
    const percent = share === undefined ? '' : `${Math.floor(share * 100)}%, `
    return [
      `${percent}${this.#verb} ${count} messages, ${inUnits(this.bytes)}, ${rate} a second, ${timeText(seconds)}${rest}`,
      `${percent}${count}, ${rate}/s${rest}`,
    ]
  }
}

function shareOf(done: { messages: number; bytes: number }, total: Total): number | undefined {
  if (total.bytes !== undefined && total.bytes > 0) return Math.min(1, done.bytes / total.bytes)
  if (total.messages === undefined || total.messages === 0) return undefined
  return Math.min(1, done.messages / total.messages)
}

/** Estimated from the rate so far; undefined if it is too early for that. */
export function remainingSeconds(
  done: { messages: number; bytes: number },
  total: Total,
  seconds: number,
): number | undefined {
  const share = shareOf(done, total)
  if (share === undefined || share < LEAST_SHARE || seconds < LEAST_SECONDS) return undefined
  return (seconds * (1 - share)) / share
}

function timeText(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(1)} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
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
