import { LONGEST_TIMER_MS } from './timer.ts'

/** The wait before the next attempt: doubled after each attempt up to a maximum, with jitter (KIP-580). */
export interface BackoffOptions {
  readonly initialMs: number
  readonly maxMs: number
}

/**
 * Changes the wait by up to a fifth in either direction, so that clients that failed together do not retry together.
 */
const JITTER = 0.2

export function backoffMs(attempt: number, { initialMs, maxMs }: BackoffOptions): number {
  const exponential = Math.min(maxMs, initialMs * 2 ** attempt)
  return Math.min(exponential * (1 - JITTER + 2 * JITTER * Math.random()), LONGEST_TIMER_MS)
}
