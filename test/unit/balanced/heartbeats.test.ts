import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { Heartbeats } from '../../../src/balanced/heartbeats.ts'

const INTERVAL_MS = 1_000

describe('heartbeats', () => {
  let beats: number[]

  beforeEach(() => {
    jest.useFakeTimers({ now: 0 })
    beats = []
  })

  afterEach(() => void jest.useRealTimers())

  const beating = (intervalMs: number) =>
    new Heartbeats(intervalMs, () => {
      beats.push(Date.now())
      return Promise.resolve(intervalMs)
    })

  it('are sent soon after a generation began, then at the interval', async () => {
    const heartbeats = beating(INTERVAL_MS)
    heartbeats.start()
    await jest.advanceTimersByTimeAsync(4_000)
    expect(beats).toEqual([100, 300, 700, 1_500, 2_500, 3_500])
    heartbeats.stop()
  })

  it('are sent soon again after the next generation began', async () => {
    const heartbeats = beating(INTERVAL_MS)
    heartbeats.start()
    await jest.advanceTimersByTimeAsync(2_000)
    beats = []
    heartbeats.start()
    await jest.advanceTimersByTimeAsync(1_000)
    expect(beats).toEqual([2_100, 2_300, 2_700])
    heartbeats.stop()
  })

  it('are sent at a shorter interval for a while after a change, if configured', async () => {
    const beat = () => {
      beats.push(Date.now())
      return Promise.resolve(5_000)
    }
    const heartbeats = new Heartbeats(5_000, beat, { maxWaitMs: 1_000, forMs: 3_000 })
    heartbeats.start()
    await jest.advanceTimersByTimeAsync(14_000)
    expect(beats).toEqual([100, 300, 700, 1_500, 2_500, 3_500, 8_500, 13_500])
    heartbeats.stop()
  })

  it('are sent at once when they are hurried, then at the interval again', async () => {
    const heartbeats = beating(INTERVAL_MS)
    heartbeats.start()
    await jest.advanceTimersByTimeAsync(2_600)
    beats = []
    heartbeats.hurry()
    await jest.advanceTimersByTimeAsync(2_500)
    expect(beats).toEqual([2_600, 3_600, 4_600])
    heartbeats.stop()
    heartbeats.hurry()
    await jest.advanceTimersByTimeAsync(5_000)
    expect(beats).toHaveLength(3)
  })

  it('are sent once more right after the one in flight when they are hurried meanwhile', async () => {
    const answers: (() => void)[] = []
    const heartbeats = new Heartbeats(INTERVAL_MS, async () => {
      await new Promise<void>((resolve) => answers.push(resolve))
      return INTERVAL_MS
    })
    heartbeats.start()
    await jest.advanceTimersByTimeAsync(3_000)
    heartbeats.hurry()
    heartbeats.hurry()
    await jest.advanceTimersByTimeAsync(3_000)
    expect(answers).toHaveLength(1)
    answers[0]!()
    await jest.advanceTimersByTimeAsync(0)
    expect(answers).toHaveLength(2)
    answers[1]!()
    await jest.advanceTimersByTimeAsync(100)
    expect(answers).toHaveLength(2)
    heartbeats.stop()
  })

  it('are sent at the interval from the start if it is shorter than the first delay', async () => {
    const heartbeats = beating(30)
    heartbeats.start()
    await jest.advanceTimersByTimeAsync(100)
    expect(beats).toEqual([30, 60, 90])
    heartbeats.stop()
  })

  it('are never sent two at a time, and end when they are stopped', async () => {
    let underWay = 0
    let most = 0
    const answers: (() => void)[] = []
    const heartbeats = new Heartbeats(INTERVAL_MS, async () => {
      most = Math.max(most, ++underWay)
      await new Promise<void>((resolve) => answers.push(resolve))
      underWay--
      return INTERVAL_MS
    })
    heartbeats.start()
    await jest.advanceTimersByTimeAsync(100)
    heartbeats.start()
    await jest.advanceTimersByTimeAsync(5_000)
    expect(answers).toHaveLength(1)
    answers[0]!()
    await jest.advanceTimersByTimeAsync(100)
    expect(answers).toHaveLength(2)
    heartbeats.stop()
    answers[1]!()
    await jest.advanceTimersByTimeAsync(5_000)
    expect({ most, asked: answers.length }).toEqual({ most: 1, asked: 2 })
  })
})
