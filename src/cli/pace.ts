import { setTimeout as delay } from 'node:timers/promises'

/** Waits if more than `rate` messages per second have been sent since `startedAt`. */
export async function slowDown(
  startedAt: number,
  sent: number,
  rate: number,
  signal: AbortSignal,
): Promise<void> {
  const aheadMs = (sent / rate) * 1000 - (performance.now() - startedAt)
  // Waiting after each message would be too coarse: timers have a resolution of a millisecond.
  if (aheadMs >= 5) await delay(aheadMs, undefined, { signal }).catch(() => undefined)
}
