import type { Cluster } from '../../cluster/cluster.ts'
import { textOfThrown } from '../../observe/thrown.ts'
import type { Subscription } from '../subscription.ts'

/** A pattern without matches is looked up at this interval, or with the metadata if that is refreshed more often. */
const MISSING_TOPIC_INTERVAL_MS = 5_000

/**
 * The topic names that heartbeats subscribe to: the names that the application gave; no names if the broker has the
 * pattern; or the matches of the application's pattern, which are looked up at intervals.
 */
export class SubscribedTopics {
  readonly #cluster: Cluster
  readonly #subscription: Subscription
  readonly #onChanged: () => void
  #names: readonly string[] = []
  #timer: NodeJS.Timeout | undefined
  #isStopped = false

  constructor(cluster: Cluster, subscription: Subscription, onChanged: () => void) {
    this.#cluster = cluster
    this.#subscription = subscription
    this.#onChanged = onChanged
    this.#names = subscription.names ?? []
  }

  /** A new array after each change. */
  get names(): readonly string[] {
    return this.#names
  }

  /** Looks up the matches of the pattern now, and at intervals from now on. Throws the errors of the request. */
  async look(): Promise<void> {
    if (!this.#isPattern) return
    clearTimeout(this.#timer)
    await this.#lookUp()
    this.#watch()
  }

  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
  }

  get #isPattern(): boolean {
    const { names, serverPattern } = this.#subscription
    return names === undefined && serverPattern === undefined
  }

  async #lookUp(): Promise<boolean> {
    const names = (await this.#subscription.topics()).map(({ name }) => name).sort()
    const before = this.#names
    if (names.length === before.length && names.every((name, at) => name === before[at])) {
      return false
    }
    this.#names = names
    return true
  }

  #watch(): void {
    if (this.#isStopped) return
    const { metadataMaxAgeMs } = this.#cluster.options
    const waitMs =
      this.#names.length === 0
        ? Math.min(metadataMaxAgeMs, MISSING_TOPIC_INTERVAL_MS)
        : metadataMaxAgeMs
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#lookAgain(), waitMs)
  }

  async #lookAgain(): Promise<void> {
    try {
      if ((await this.#lookUp()) && !this.#isStopped) this.#onChanged()
    } catch (error) {
      this.#cluster.options.logger.warn(`looking for new topics failed: ${textOfThrown(error)}`)
    }
    this.#watch()
  }
}
