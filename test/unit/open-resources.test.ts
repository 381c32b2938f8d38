import { describe, expect, it } from '@jest/globals'
import { ClosedError } from '../../src/errors.ts'
import { OpenResources } from '../../src/open-resources.ts'

/** A consumer that fails as it is told to, and counts how often it was closed. */
class FakeConsumer {
  closed = 0
  readonly #failures: { readonly start?: Error; readonly close?: Error }
  readonly #onClosed: () => void

  constructor(failures: { readonly start?: Error; readonly close?: Error }, onClosed: () => void) {
    this.#failures = failures
    this.#onClosed = onClosed
  }

  start(): Promise<void> {
    return this.#failures.start === undefined
      ? Promise.resolve()
      : Promise.reject(this.#failures.start)
  }

  close(): Promise<void> {
    this.closed++
    this.#onClosed()
    return this.#failures.close === undefined
      ? Promise.resolve()
      : Promise.reject(this.#failures.close)
  }
}

describe('a resource that a client opens', () => {
  const noTopic = new Error('no such topic')
  const noLeave = new Error('could not leave the group')

  function open(
    opened: OpenResources,
    failures: { readonly start?: Error; readonly close?: Error },
  ) {
    let made: FakeConsumer | undefined
    const opening = opened.consumer({}, {}, ({ onClosed }) => {
      made = new FakeConsumer(failures, onClosed)
      return made
    })
    return { opening, consumer: made! }
  }

  it('is closed if it does not start, and the reason is reported, whatever closing throws', async () => {
    const opened = new OpenResources()
    const { opening, consumer } = open(opened, { start: noTopic, close: noLeave })
    await expect(opening).rejects.toBe(noTopic)
    expect(consumer.closed).toBe(1)
  })

  it('is closed with the client, also if closing another fails, unless it is closed already', async () => {
    const opened = new OpenResources()
    const failing = open(opened, { close: noLeave }).consumer
    const good = open(opened, {}).consumer
    const closedBefore = open(opened, {}).consumer
    await closedBefore.close()
    await expect(opened.close()).rejects.toBe(noLeave)
    expect([failing, good, closedBefore].map(({ closed }) => closed)).toEqual([1, 1, 1])
  })

  it('is not started with autoStart: false', async () => {
    const fake = new FakeConsumer({ start: noTopic }, () => undefined)
    await expect(new OpenResources().consumer({ autoStart: false }, {}, () => fake)).resolves.toBe(
      fake,
    )
  })

  it('is not made once the client is closed', async () => {
    const opened = new OpenResources()
    await opened.close()
    const make = () => new FakeConsumer({}, () => undefined)
    await expect(opened.consumer({}, {}, make)).rejects.toThrow(ClosedError)
    await expect(opened.producer(() => Promise.resolve(make()))).rejects.toThrow(ClosedError)
  })
})
