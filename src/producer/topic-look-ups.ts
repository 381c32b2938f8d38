import { Deadline } from '../async/deadline.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { TopicState } from './topic-state.ts'

/** A message whose topic is not known yet. */
interface Held {
  readonly bytes: number
  /** Goes on with it, or fails it. */
  readonly go: (error: Error | undefined) => void
}

interface LookUp {
  readonly done: Promise<void>
  readonly held: Held[]
}

/** Topics that a producer to many is asked to send to for the first time, and the messages that wait for them. */
export class TopicLookUps {
  readonly #cluster: Cluster
  readonly #running = new Map<string, LookUp>()
  heldMessages = 0
  heldBytes = 0

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  /** Resolves when the topic is known and what was held for it is on its way. */
  of(topic: TopicState): Promise<void> {
    return this.#of(topic).done
  }

  hold(topic: TopicState, message: Held): void {
    const lookUp = this.#of(topic)
    lookUp.done.catch(() => undefined)
    lookUp.held.push(message)
    this.heldMessages++
    this.heldBytes += message.bytes
  }

  /** Resolves when those that run now have ended, one way or the other. */
  async settled(): Promise<void> {
    if (this.#running.size === 0) return
    await Promise.allSettled([...this.#running.values()].map(({ done }) => done))
  }

  /** Fails what is held. */
  stop(error: Error): void {
    for (const { held } of this.#running.values()) this.#letGo(held, error)
    this.#running.clear()
  }

  #of(topic: TopicState): LookUp {
    let lookUp = this.#running.get(topic.name)
    if (lookUp === undefined) {
      const held: Held[] = []
      lookUp = { held, done: this.#run(topic.name, held) }
      this.#running.set(topic.name, lookUp)
    }
    return lookUp
  }

  async #run(name: string, held: Held[]): Promise<void> {
    const deadline = new Deadline(this.#cluster.options.operationTimeoutMs)
    try {
      await this.#cluster.topic(name, { create: true, deadline })
      this.#running.delete(name)
      this.#letGo(held, undefined)
    } catch (error) {
      this.#running.delete(name)
      this.#letGo(held, error as Error)
      throw error
    }
  }

  #letGo(held: Held[], error: Error | undefined): void {
    for (const { bytes, go } of held.splice(0)) {
      this.heldMessages--
      this.heldBytes -= bytes
      go(error)
    }
  }
}
