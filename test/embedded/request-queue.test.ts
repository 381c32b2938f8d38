import { describe, expect, it } from '@jest/globals'
import { RequestMemory } from '../../src/embedded/server/request-memory.ts'
import { RequestQueue } from '../../src/embedded/server/request-queue.ts'

/** A client's socket, and the requests that it has sent. */
class Client {
  isPaused = false
  readonly queue: RequestQueue

  constructor(memory: RequestMemory) {
    this.queue = new RequestQueue(
      this,
      memory,
      () => 10_000,
      () => undefined,
    )
  }

  pause(): void {
    this.isPaused = true
  }

  resume(): void {
    this.isPaused = false
  }

  send(sizeBytes: number): void {
    this.queue.push(framed(sizeBytes))
  }

  answerFirst(): void {
    this.queue.answered(this.queue.next()!)
  }
}

function framed(sizeBytes: number): Buffer {
  const frame = Buffer.alloc(4 + sizeBytes)
  frame.writeInt32BE(sizeBytes)
  return frame
}

describe('a queue of requests', () => {
  it('stops reading at 64 requests of one connection, and resumes at half of them', () => {
    const client = new Client(new RequestMemory(1_000_000))
    for (let count = 0; count < 63; count++) client.send(10)
    expect(client.isPaused).toBe(false)
    client.send(10)
    expect(client.isPaused).toBe(true)
    for (let count = 64; count > 33; count--) client.answerFirst()
    expect(client.isPaused).toBe(true)
    client.answerFirst()
    expect(client.isPaused).toBe(false)
  })

  it('stops reading while the requests of all connections exceed the byte limit', () => {
    const memory = new RequestMemory(1_000)
    const [one, other] = [new Client(memory), new Client(memory)]
    one.send(600)
    one.send(600)
    expect(one.isPaused).toBe(false)
    other.send(100)
    expect(other.isPaused).toBe(true)
    one.answerFirst()
    expect(other.isPaused).toBe(false)
  })

  it('reserves memory for a request when its size arrives, so that the request can finish', () => {
    const memory = new RequestMemory(1_000)
    const [one, other] = [new Client(memory), new Client(memory)]
    const large = framed(5_000)
    one.queue.push(large.subarray(0, 10))
    expect(one.isPaused).toBe(false)
    other.queue.push(large.subarray(0, 10))
    expect(other.isPaused).toBe(true)
    one.queue.push(large.subarray(10))
    expect(one.isPaused).toBe(false)
    one.answerFirst()
    expect(other.isPaused).toBe(false)
    other.queue.push(large.subarray(10))
    expect(other.queue.next()).toHaveLength(5_000)
  })

  it('lets others continue when a connection closes with unanswered requests', () => {
    const memory = new RequestMemory(1_000)
    const [one, other] = [new Client(memory), new Client(memory)]
    one.send(1_000)
    other.send(1_000)
    expect(other.isPaused).toBe(true)
    one.queue.close()
    expect(other.isPaused).toBe(false)
  })

  it('resumes waiting connections as far as there is memory for them', () => {
    const memory = new RequestMemory(1_000)
    const clients = Array.from({ length: 4 }, () => new Client(memory))
    for (const client of clients) client.send(1_000)
    expect(clients.map(({ isPaused }) => isPaused)).toEqual([false, true, true, true])
    clients[0]!.answerFirst()
    expect(clients.map(({ isPaused }) => isPaused)).toEqual([false, false, true, true])
    clients[1]!.answerFirst()
    clients[2]!.answerFirst()
    expect(clients.map(({ isPaused }) => isPaused)).toEqual([false, false, false, false])
  })
})
