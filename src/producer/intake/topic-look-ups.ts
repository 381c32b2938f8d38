import { Deadline } from '../../async/deadline.ts'
import { deferred, type Deferred } from '../../async/deferred.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import { isRetriable, deniesTopic, ProduceFailureError, UnknownTopicError } from '../../errors.ts'
import type { TopicState } from './topic-state.ts'

/** A message whose topic is not known yet, or a caller that waits for the topic. */
export interface Held {
  /** 0 for a caller. */
  readonly messages: 0 | 1
  readonly bytes: number
  /** Goes on with it, or fails it. */
  readonly go: (error: Error | undefined) => void
}

interface Waiting extends Held {
  /** On performance.now()'s clock. */
  readonly expiresAt: number
  gone?: Deferred<void>
}

interface LookUp {
  readonly topic: TopicState
  /** In the order in which they came, and so in the order in which they expire. */
  waiting: Waiting[]
}

/**
 * The topics that a producer looks up, and the messages that wait for them. A message waits until its
 * deliveryTimeoutMs is over: a new topic, or a broker that has just started, may take longer than a few
 * responses to be known.
 */
export class TopicLookUps {
  readonly #cluster: Cluster
  readonly #deliveryTimeoutMs: number
  readonly #running = new Map<string, LookUp>()
  readonly #stopped = new AbortController()
  heldMessages = 0
  heldBytes = 0

  constructor(cluster: Cluster, deliveryTimeoutMs: number) {
    this.#cluster = cluster
    this.#deliveryTimeoutMs = deliveryTimeoutMs
  }

  hold(topic: TopicState, held: Held): void {
    const expiresAt = performance.now() + this.#deliveryTimeoutMs
    this.heldMessages += held.messages
    this.heldBytes += held.bytes
    let lookUp = this.#running.get(topic.name)
    if (lookUp === undefined) {
      lookUp = { topic, waiting: [] }
      this.#running.set(topic.name, lookUp)
      topic.isLookedUp = true
      lookUp.waiting.push({ ...held, expiresAt })
      void this.#run(lookUp)
    } else {
      lookUp.waiting.push({ ...held, expiresAt })
    }
  }

  /** Resolves when nothing waits any more that waits now. */
  async settled(): Promise<void> {
    const last = [...this.#running.values()].flatMap(({ waiting }) => waiting.slice(-1))
    await Promise.all(last.map((one) => (one.gone ??= deferred()).promise))
  }

  /** Fails what waits; look-ups that run end by themselves. */
  fail(error: Error): void {
    for (const lookUp of this.#running.values()) this.#end(lookUp, error)
  }

  /** Fails what waits, and ends the look-ups. */
  stop(error: Error): void {
    this.#stopped.abort(error)
    this.fail(error)
  }

  async #run(lookUp: LookUp): Promise<void> {
    const { name } = lookUp.topic
    for (;;) {
      const first = lookUp.waiting[0]
      if (first === undefined) {
        this.#end(lookUp, undefined)
        return
      }
      const timeoutMs = Math.max(0, first.expiresAt - performance.now())
      const deadline = new Deadline(timeoutMs, this.#stopped.signal)
      try {
        await this.#cluster.topic(name, { create: true, deadline, mayAppear: true })
        this.#end(lookUp, undefined)
        return
      } catch (error) {
        if (this.#stopped.signal.aborted) return
        if (!isRetriable(error)) {
          this.#end(lookUp, error as Error)
          return
        }
        // The look-up ends when there is no time for another attempt, for the first and those soon after it.
        const until = Math.max(
          first.expiresAt,
          performance.now() + this.#cluster.options.backoff.maxMs,
        )
        const expired = lookUp.waiting.filter(({ expiresAt }) => expiresAt <= until)
        lookUp.waiting = lookUp.waiting.slice(expired.length)
        this.#letGo(expired, this.#late(name, error as Error))
      }
    }
  }

  #late(topic: string, cause: Error): Error {
    const within = `within ${this.#deliveryTimeoutMs} ms (deliveryTimeoutMs)`
    // The time may end during an attempt: then the one before it tells.
    return deniesTopic(cause) || deniesTopic(cause.cause)
      ? new UnknownTopicError(`topic '${topic}' did not appear ${within}`, { topic, cause })
      : new ProduceFailureError(
          `topic '${topic}' could not be looked up ${within}: ${cause.message}`,
          false,
          { topic, cause },
        )
  }

  #end(lookUp: LookUp, error: Error | undefined): void {
    this.#running.delete(lookUp.topic.name)
    const { waiting } = lookUp
    lookUp.waiting = []
    lookUp.topic.isLookedUp = false
    this.#letGo(waiting, error)
  }

  #letGo(waiting: readonly Waiting[], error: Error | undefined): void {
    for (const { messages, bytes, go, gone } of waiting) {
      this.heldMessages -= messages
      this.heldBytes -= bytes
      go(error)
      gone?.resolve()
    }
  }
}
