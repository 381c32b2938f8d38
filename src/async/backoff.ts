import { LONGEST_TIMER_MS } from './timer.ts'

/** How long to wait before the next attempt: doubled each time, up to a ceiling, with jitter (KIP-580). */
export interface BackoffOptions {
  readonly initialMs: number
  readonly maxMs: number
}

/** Spreads clients that failed together by a fifth either way, so that they don't come back together. */
const JITTER = 0.2

export function backoffMs(attempt: number, { initialMs, maxMs }: BackoffOptions): number {
  const exponential = Math.min(maxMs, initialMs * 2 ** attempt)
  return Math.min(exponential * (1 - JITTER + 2 * JITTER * Math.random()), LONGEST_TIMER_MS)
}
