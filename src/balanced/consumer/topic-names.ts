import { metadata } from '../../../protocol/apis/metadata.ts'
import { ErrorCode } from '../../../protocol/errors.ts'
import { backoffMs } from '../../async/backoff.ts'
import { Deadline } from '../../async/deadline.ts'
import type { Cluster } from '../../cluster/cluster.ts'

/**
 * The names of topics by id, because assignments contain only ids. The broker that coordinates the group may know a
 * topic before the brokers that respond to Metadata do, and after they have forgotten it: such an id waits until its
 * name is known.
 */
export class TopicNames {
  readonly #cluster: Cluster
  /** Returns the names of the subscribed topics, of which the metadata may have the ids. */
  readonly #subscribed: () => readonly string[]
  readonly #names = new Map<string, string>()
  #timer: NodeJS.Timeout | undefined
  #attempts = 0
  #isStopped = false

  constructor(cluster: Cluster, subscribed: () => readonly string[]) {
    this.#cluster = cluster
    this.#subscribed = subscribed
  }

  known(topicId: string): string | undefined {
    return this.#names.get(topicId)
  }

  /**
   * Looks up the unknown ids. If some stay unknown, it calls `again` when it is time for the next attempt. Throws the
   * errors of the request.
   */
  async find(topicIds: readonly string[], again: () => void): Promise<void> {
    clearTimeout(this.#timer)
    this.#learnKnown(topicIds)
    const wanted = topicIds.filter((id) => !this.#names.has(id))
    if (wanted.length > 0) await this.#ask(wanted)
    const missing = wanted.filter((id) => !this.#names.has(id))
    if (missing.length === 0) {
      this.#attempts = 0
      return
    }
    if (this.#isStopped) return
    const waitMs = backoffMs(this.#attempts++, this.#cluster.options.backoff)
    this.#timer = setTimeout(again, waitMs)
  }

  /** Forgets all other topics, so that the map does not grow with topics that were deleted. */
  keepOnly(topicIds: ReadonlySet<string>): void {
    for (const id of this.#names.keys()) if (!topicIds.has(id)) this.#names.delete(id)
  }

  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
  }

  /** An id never belongs to another topic, however old the metadata is. */
  #learnKnown(topicIds: readonly string[]): void {
    const wanted = new Set(topicIds)
    for (const name of this.#subscribed()) {
      const topicId = this.#cluster.known(name)?.topicId
      if (topicId !== undefined && wanted.has(topicId)) this.#names.set(topicId, name)
    }
  }

  async #ask(topicIds: readonly string[]): Promise<void> {
    const { topics } = await this.#cluster.router.call(
      metadata,
      {
        topics: topicIds.map((topicId) => ({ topicId, name: null })),
        allowAutoTopicCreation: false,
      },
      {
        to: 'any',
        what: 'looking up assigned topics by id',
        deadline: new Deadline(this.#cluster.options.operationTimeoutMs),
      },
    )
    const recreated: string[] = []
    for (const { name, topicId, errorCode } of topics) {
      if (name === null || name === '' || errorCode === ErrorCode.UNKNOWN_TOPIC_ID) continue
      this.#names.set(topicId, name)
      const known = this.#cluster.known(name)
      if (known !== undefined && known.topicId !== topicId) recreated.push(name)
    }
    // The cached metadata is that of a topic of the same name that was deleted.
    await Promise.all(recreated.map((name) => this.#cluster.refresh(name)))
  }
}
