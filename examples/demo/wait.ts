import { setTimeout as sleep } from 'node:timers/promises'

interface WaitOptions {
  readonly timeoutMs: number
  readonly signal: AbortSignal
  /** Creates the error that is thrown after `timeoutMs`. */
  readonly onTimeout: () => Error
}

/** Polls until `check` returns true. */
export async function waitFor(
  check: () => boolean,
  { timeoutMs, signal, onTimeout }: WaitOptions,
): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (!check()) {
    if (performance.now() >= deadline) throw onTimeout()
    await sleep(50, undefined, { signal })
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
