import type { Cluster } from '../../cluster/cluster.ts'
import { textOfThrown } from '../../observe/thrown.ts'
import type { Subscription } from '../subscription.ts'

/** How often a pattern that matches nothing is looked at, if metadata is not asked for more often anyway. */
const MISSING_TOPIC_INTERVAL_MS = 5_000

/**
 * The names that heartbeats subscribe to: those of the application, none where the broker has the pattern, or what the
 * pattern of the application matches, which is looked at now and then.
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

  /** Another array after each change. */
  get names(): readonly string[] {
    return this.#names
  }

  /** Asks for what the pattern matches, and again from now on. Throws what the request throws. */
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
