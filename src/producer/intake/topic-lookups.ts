import { Deadline } from '../../async/deadline.ts'
import { deferred, type Deferred } from '../../async/deferred.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import { isRetriable, deniesTopic, ProduceFailureError, UnknownTopicError } from '../../errors.ts'
import { asError } from '../../observe/thrown.ts'
import type { TopicState } from './topic-state.ts'

/** A message, or a caller, that waits until its topic is known. */
export interface Waiter {
  /** 0 for a caller. */
  readonly messages: 0 | 1
  readonly bytes: number
  /** Continues with the message, or fails it with the error. */
  readonly resume: (error: Error | undefined) => void
}

interface Waiting extends Waiter {
  /** On performance.now()'s clock. */
  readonly expiresAt: number
  gone?: Deferred<void>
}

interface Lookup {
  readonly topic: TopicState
  /** In order of arrival, and therefore in order of expiry. */
  waiting: Waiting[]
}

/**
 * The topic lookups of a producer, and the messages that wait for them. A message waits for up to its
 * deliveryTimeoutMs, because a new topic, or a broker that has just started, may take longer than a few responses.
 */
export class TopicLookups {
  readonly #cluster: Cluster
  readonly #deliveryTimeoutMs: number
  readonly #running = new Map<string, Lookup>()
  readonly #stopped = new AbortController()
  waitingMessages = 0
  waitingBytes = 0

  constructor(cluster: Cluster, deliveryTimeoutMs: number) {
    this.#cluster = cluster
    this.#deliveryTimeoutMs = deliveryTimeoutMs
  }

  enqueue(topic: TopicState, waiter: Waiter): void {
    const expiresAt = performance.now() + this.#deliveryTimeoutMs
    this.waitingMessages += waiter.messages
    this.waitingBytes += waiter.bytes
    let lookup = this.#running.get(topic.name)
    if (lookup === undefined) {
      lookup = { topic, waiting: [] }
      this.#running.set(topic.name, lookup)
      topic.isLookedUp = true
      lookup.waiting.push({ ...waiter, expiresAt })
      void this.#run(lookup)
    } else {
      lookup.waiting.push({ ...waiter, expiresAt })
    }
  }

  /** Resolves when everything that waits now has continued or failed. */
  async settled(): Promise<void> {
    const last = [...this.#running.values()].flatMap(({ waiting }) => waiting.slice(-1))
    await Promise.all(last.map((one) => (one.gone ??= deferred()).promise))
  }

  /** Fails everything that waits. The lookups in progress end by themselves. */
  fail(error: Error): void {
    for (const lookup of this.#running.values()) this.#end(lookup, error)
  }

  /** Fails everything that waits, and ends the lookups. */
  stop(error: Error): void {
    this.#stopped.abort(error)
    this.fail(error)
  }

  async #run(lookup: Lookup): Promise<void> {
    const { name } = lookup.topic
    for (;;) {
      const first = lookup.waiting[0]
      if (first === undefined) {
        this.#end(lookup, undefined)
        return
      }
      const timeoutMs = Math.max(0, first.expiresAt - performance.now())
      const deadline = new Deadline(timeoutMs, this.#stopped.signal)
      try {
        await this.#cluster.topic(name, { create: true, deadline, mayAppear: true })
        this.#end(lookup, undefined)
        return
      } catch (error) {
        if (this.#stopped.signal.aborted) return
        if (!isRetriable(error)) {
          this.#end(lookup, asError(error))
          return
        }
        // Fails the first message, and those that expire before the next attempt.
        const until = Math.max(
          first.expiresAt,
          performance.now() + this.#cluster.options.backoff.maxMs,
        )
        const expired = lookup.waiting.filter(({ expiresAt }) => expiresAt <= until)
        lookup.waiting = lookup.waiting.slice(expired.length)
        this.#resume(expired, this.#late(name, asError(error)))
      }
    }
  }

  #late(topic: string, cause: Error): Error {
    const within = `within ${this.#deliveryTimeoutMs} ms (deliveryTimeoutMs)`
    // If the time ends during an attempt, the cause is the error of the previous attempt.
    return deniesTopic(cause) || deniesTopic(cause.cause)
      ? new UnknownTopicError(`topic '${topic}' did not exist ${within}`, { topic, cause })
      : new ProduceFailureError(
          `topic '${topic}' could not be looked up ${within}: ${cause.message}`,
          false,
          { topic, cause },
        )
  }

  #end(lookup: Lookup, error: Error | undefined): void {
    this.#running.delete(lookup.topic.name)
    const { waiting } = lookup
    lookup.waiting = []
    lookup.topic.isLookedUp = false
    this.#resume(waiting, error)
  }

  #resume(waiting: readonly Waiting[], error: Error | undefined): void {
    for (const { messages, bytes, resume, gone } of waiting) {
      this.waitingMessages -= messages
      this.waitingBytes -= bytes
      resume(error)
      gone?.resolve()
    }
  }
}
