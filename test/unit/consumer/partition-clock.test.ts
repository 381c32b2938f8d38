import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { PartitionClock } from '../../../src/consumer/delivery/partition-clock.ts'
import { ProcessSeries } from '../../../src/consumer/delivery/process-series.ts'
import type { ProcessEvent } from '../../../src/observe/channels.ts'
import { ClientMetrics, GroupMetrics } from '../../../src/observe/metrics/client-metrics.ts'

let nowMs = 0
let counted: GroupMetrics
let clock: PartitionClock
let events: ProcessEvent[]
const listen = (event: unknown) => void events.push(event as ProcessEvent)
const reported = () =>
  events.map(({ messages, durationMs, error }) => ({ messages, durationMs, error }))

beforeEach(() => {
  nowMs = 1_000
  jest.spyOn(performance, 'now').mockImplementation(() => nowMs)
  events = []
  subscribe('samsa:process', listen)
  counted = new GroupMetrics(undefined)
  const metrics = { client: new ClientMetrics('test'), group: undefined, counted }
  clock = new PartitionClock(counted, new ProcessSeries(metrics), { topic: 'a', partition: 0 })
})
afterEach(() => {
  unsubscribe('samsa:process', listen)
  jest.restoreAllMocks()
})

describe('the clock of a partition', () => {
  it('divides the time among handlers that returned nothing', () => {
    clock.returned()
    clock.returned()
    nowMs += 4
    clock.pause()
    expect(counted.handlerDuration.count).toBe(2)
    expect(counted.handlerDuration.sum).toBe(4_000)
  })

  it('does not count the time of a pause', () => {
    clock.returned()
    nowMs += 1
    clock.pause()
    nowMs += 50
    clock.resume()
    nowMs += 11
    clock.settled()
    expect(counted.handlerDuration.sum).toBe(12_000)
    expect(reported()).toEqual([{ messages: 2, durationMs: 12, error: undefined }])
  })

  it('counts each of the handlers that run at the same time, and their common time once', () => {
    const first = clock.begin()
    nowMs += 2
    clock.resume()
    const second = clock.begin()
    nowMs += 3
    clock.finished(first, undefined)
    nowMs += 6
    clock.finished(second, undefined)
    expect(counted.handlerDuration.count).toBe(2)
    expect(counted.handlerDuration.sum).toBe(5_000 + 9_000)
    expect(reported()).toEqual([{ messages: 2, durationMs: 11, error: undefined }])
  })

  it('does not count the time between handlers that have ended and the next one', () => {
    clock.finished(clock.begin(), undefined)
    nowMs += 50
    clock.resume()
    const next = clock.begin()
    nowMs += 10
    clock.finished(next, undefined)
    expect(reported()).toEqual([{ messages: 2, durationMs: 10, error: undefined }])
  })

  it('reports each error of handlers that run at the same time in an event of its own', () => {
    const begun = [clock.begin(), clock.begin(), clock.begin()]
    nowMs += 1
    const [one, other] = [new Error('one'), new Error('other')]
    clock.finished(begun[0]!, undefined)
    clock.finished(begun[1]!, one)
    clock.finished(begun[2]!, other)
    expect(reported()).toEqual([
      { messages: 2, durationMs: 1, error: one },
      { messages: 1, durationMs: 0, error: other },
    ])
  })
})
