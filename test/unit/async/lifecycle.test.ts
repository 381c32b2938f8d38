import { describe, expect, it } from '@jest/globals'
import { deferred } from '../../../src/async/deferred.ts'
import { Lifecycle } from '../../../src/async/lifecycle.ts'
import { ClosedError } from '../../../src/errors.ts'
import { failureOf } from '../../support/settled.ts'

const nothing = () => Promise.resolve()

describe('a lifecycle', () => {
  it('passes through new, starting, open, closing and closed', async () => {
    const lifecycle = new Lifecycle('producer')
    const [prepared, ended] = [deferred<string>(), deferred()]
    const opened: string[] = []
    expect(lifecycle.state).toBe('new')
    const starting = lifecycle.start(
      () => prepared.promise,
      (result) => opened.push(result),
    )
    expect(lifecycle.state).toBe('starting')
    prepared.resolve('an id')
    await starting
    expect(lifecycle.state).toBe('open')
    expect(opened).toEqual(['an id'])
    const closing = lifecycle.close(() => ended.promise)
    expect(lifecycle.state).toBe('closing')
    ended.resolve()
    await closing
    expect(lifecycle.state).toBe('closed')
  })

  it('shares one start among calls, and does nothing when it is already open', async () => {
    const lifecycle = new Lifecycle('producer')
    const prepared = deferred()
    let count = 0
    const prepare = () => {
      count++
      return prepared.promise
    }
    const both = Promise.all([lifecycle.start(prepare), lifecycle.start(prepare)])
    prepared.resolve()
    await both
    await lifecycle.start(prepare)
    expect(count).toBe(1)
  })

  it('can be started again after a start that failed', async () => {
    const lifecycle = new Lifecycle('producer')
    const refused = new Error('refused')
    expect(await failureOf(lifecycle.start(() => Promise.reject(refused)))).toBe(refused)
    expect(lifecycle.state).toBe('new')
    await lifecycle.start(nothing)
    expect(lifecycle.isOpen).toBe(true)
  })

  it('can be started again after a preparation that throws before it waits', async () => {
    const lifecycle = new Lifecycle('producer')
    const refused = new Error('refused')
    const prepare = () => {
      throw refused
    }
    expect(await failureOf(lifecycle.start(prepare))).toBe(refused)
    await lifecycle.start(nothing)
    expect(lifecycle.isOpen).toBe(true)
  })

  it('returns to new when opening throws', async () => {
    const lifecycle = new Lifecycle('producer')
    const refused = new Error('refused')
    const open = () => {
      throw refused
    }
    expect(await failureOf(lifecycle.start(nothing, open))).toBe(refused)
    expect(lifecycle.state).toBe('new')
  })

  it('rejects a start at once when it is closed during the start, and never opens', async () => {
    const lifecycle = new Lifecycle('producer')
    const prepared = deferred()
    let isOpened = false
    const aborted: AbortSignal[] = []
    const started = failureOf(
      lifecycle.start(
        (signal) => {
          aborted.push(signal)
          return prepared.promise
        },
        () => (isOpened = true),
      ),
    )
    await lifecycle.close(nothing)
    expect(await started).toBeInstanceOf(ClosedError)
    expect(aborted[0]?.reason).toBeInstanceOf(ClosedError)
    prepared.resolve()
    await Promise.resolve()
    expect({ isOpened, state: lifecycle.state }).toEqual({ isOpened: false, state: 'closed' })
  })

  it('never opens when it is closed in the turn in which its preparation succeeds', async () => {
    const lifecycle = new Lifecycle('producer')
    const prepared = deferred()
    const started = failureOf(lifecycle.start(() => prepared.promise))
    prepared.resolve()
    const closed = lifecycle.close(nothing)
    expect(await started).toBeInstanceOf(ClosedError)
    await closed
    expect(lifecycle.state).toBe('closed')
  })

  it('ends once, no matter how often it is closed, and is closed even if its end throws', async () => {
    const lifecycle = new Lifecycle('consumer')
    const late = new Error('late')
    let count = 0
    const end = () => {
      count++
      return Promise.reject(late)
    }
    const both = [failureOf(lifecycle.close(end)), failureOf(lifecycle.close(end))]
    expect(await Promise.all(both)).toEqual([late, late])
    expect({ count, state: lifecycle.state }).toEqual({ count: 1, state: 'closed' })
  })

  it('rejects every start after it is closed', async () => {
    const lifecycle = new Lifecycle('consumer')
    await lifecycle.close(nothing)
    expect(await failureOf(lifecycle.start(nothing))).toMatchObject({
      code: 'CLOSED',
      message: 'the consumer is closed',
    })
    expect(() => lifecycle.throwIfClosed()).toThrow(ClosedError)
  })
})
