import { setTimeout as sleep } from 'node:timers/promises'

export interface WaitOptions {
  readonly timeoutMs: number
  readonly everyMs?: number
  readonly signal?: AbortSignal | undefined
  /** Called when the time is over; its result is thrown. */
  readonly onTimeout: () => Error
}

/** Asks again and again until `check` gives something; what `check` throws ends the waiting. */
export async function waitFor<T>(
  check: () => Promise<T | undefined> | T | undefined,
  { timeoutMs, everyMs = 50, signal, onTimeout }: WaitOptions,
): Promise<T> {
  const deadline = Date.now() + timeoutMs
  for (;;) {
    signal?.throwIfAborted()
    const found = await check()
    if (found !== undefined) return found
    if (Date.now() >= deadline) throw onTimeout()
    await sleep(everyMs, undefined, { signal }).catch(() => undefined)
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

export function hasCode(error: unknown, code: string): boolean {
  // Not instanceof Error: under Jest, node's own errors are of another realm.
  return typeof error === 'object' && error !== null && 'code' in error && error.code === code
}
