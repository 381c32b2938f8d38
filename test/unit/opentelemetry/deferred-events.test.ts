import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { DeferredEvents } from '../../../src/opentelemetry/deferred-events.ts'

beforeEach(() => {
  jest.useFakeTimers({ now: 1_000 })
})
afterEach(() => {
  jest.useRealTimers()
})

describe('deferred events', () => {
  it('are handled together 50 ms after the first of them, in order, with the time of each', () => {
    const handled: [string, number][] = []
    const deferred = new DeferredEvents()
    const listener = deferred.listener((event: string, endedAt) => handled.push([event, endedAt]))
    listener('a')
    jest.advanceTimersByTime(49)
    listener('b')
    expect(handled).toEqual([])
    jest.advanceTimersByTime(1)
    expect(handled).toEqual([
      ['a', 1_000],
      ['b', 1_049],
    ])
    listener('c')
    jest.advanceTimersByTime(50)
    expect(handled).toHaveLength(3)
  })

  it('are handled at once when there are 64 of them, or by flush, and only once', () => {
    const handled: number[] = []
    const deferred = new DeferredEvents()
    const listener = deferred.listener((event: number) => handled.push(event))
    for (let n = 0; n < 64; n++) listener(n)
    expect(handled).toHaveLength(64)
    listener(64)
    deferred.flush()
    expect(handled).toHaveLength(65)
    jest.advanceTimersByTime(1_000)
    expect(handled).toHaveLength(65)
  })

  it('are all handled when a listener throws for one of them', () => {
    const handled: number[] = []
    const deferred = new DeferredEvents()
    const listener = deferred.listener((event: number) => {
      if (event === 0) throw new Error('broken tracer')
      handled.push(event)
    })
    listener(0)
    listener(1)
    deferred.flush()
    expect(handled).toEqual([1])
  })
})
