import { describe, expect, it } from '@jest/globals'
import { getEventListeners } from 'node:events'
import { Deadline } from '../../../src/async/deadline.ts'
import { deferred } from '../../../src/async/deferred.ts'
import { limited, TookTooLongError } from '../../../src/async/limited.ts'
import { LONGEST_TIMER_MS, Timer } from '../../../src/async/timer.ts'
import { failureOf } from '../../support/settled.ts'

/** Keeps the event loop from doing anything. */
function block(forMs: number): void {
  const until = performance.now() + forMs
  while (performance.now() < until);
}

function elapsed(waitMs: number): { readonly over: Promise<void>; readonly timer: Timer } {
  const over = deferred()
  return { over: over.promise, timer: new Timer(waitMs, () => over.resolve()) }
}

describe('a timer', () => {
  it('does not elapse before its time', async () => {
    const from = performance.now()
    await elapsed(30).over
    expect(performance.now() - from).toBeGreaterThanOrEqual(29)
  })

  it('does not elapse after it was cancelled', async () => {
    let count = 0
    const timer = new Timer(1, () => count++)
    timer.cancel()
    await elapsed(20).over
    expect(count).toBe(0)
  })

  it('elapses without another event when it does not keep the process alive', async () => {
    const over = deferred()
    let isOtherEvent = false
    const keepsAlive = setTimeout(() => {
      isOtherEvent = true
    }, 5_000)
    new Timer(20, () => over.resolve()).unref()
    await over.promise
    clearTimeout(keepsAlive)
    expect(isOtherEvent).toBe(false)
  })

  it('can be cancelled by code that runs after the event loop was blocked for longer than the timer', async () => {
    let count = 0
    const timer = new Timer(1, () => count++)
    block(20)
    // Runs in the same round of the event loop as a socket that is read there, after plain timers.
    setImmediate(() => timer.cancel())
    await elapsed(20).over
    expect(count).toBe(0)
  })

  it.each([LONGEST_TIMER_MS + 1, Number.MAX_SAFE_INTEGER, Infinity])(
    'of %d ms does not elapse at once',
    async (waitMs) => {
      let count = 0
      const timer = new Timer(waitMs, () => count++)
      await elapsed(20).over
      timer.cancel()
      expect(count).toBe(0)
    },
  )
})

describe('a bounded wait', () => {
  it('is not cut short when it exceeds the maximum of a timer', async () => {
    const result = limited(2 ** 31, undefined, async () => {
      await elapsed(20).over
      return 'done'
    })
    expect(await result).toBe('done')
    const controller = new AbortController()
    const sleeping = new Deadline(2 ** 40, controller.signal).sleep(2 ** 31)
    await elapsed(20).over
    controller.abort(new Error('enough'))
    expect(await failureOf(sleeping)).toEqual(new Error('enough'))
  })

  it('ends with an error at its timeout', async () => {
    const aborted = limited(
      10,
      undefined,
      (signal) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error))
        }),
    )
    expect(await failureOf(aborted)).toBeInstanceOf(TookTooLongError)
  })

  it('serves any number of waits on one signal with one listener, without the warning for more than ten', async () => {
    const controller = new AbortController()
    const { signal } = controller
    const waits = Array.from({ length: 50 }, () =>
      failureOf(limited(60_000, signal, (inner) => new Deadline(60_000, inner).sleep(60_000))),
    )
    const sleeps = Array.from({ length: 50 }, () =>
      failureOf(new Deadline(60_000, signal).sleep(60_000)),
    )
    expect(getEventListeners(signal, 'abort')).toHaveLength(1)
    controller.abort(new Error('all of you'))
    for (const failure of await Promise.all([...waits, ...sleeps])) {
      expect(failure).toEqual(new Error('all of you'))
    }
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  })
})
