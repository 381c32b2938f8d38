import type { TopicMetadata } from '../../cluster/metadata.ts'
import type { Logger } from '../../observe/logger.ts'
import type { Subscription } from '../subscription.ts'
import type { ZooKeeperSession } from './session.ts'
import { BROKER_TOPICS } from './znodes.ts'

/** Brokers learn of new partitions a moment after ZooKeeper has them. This is the first wait, doubled each time. */
const LOOK_AGAIN_MS = 300
const LOOK_AGAIN_AT_MOST_MS = 60_000

export interface TopicWatchDependencies {
  readonly session: Pick<ZooKeeperSession, 'children' | 'data'>
  readonly subscription: Subscription
  readonly metadataMaxAgeMs: number
  readonly logger: Logger
}

/**
 * Detects new topics and partitions if the cluster's own state is in the same ZooKeeper (up to Kafka 3.9). In KRaft
 * clusters only the regular requests to the brokers detect them.
 */
export class TopicWatch {
  readonly #parts: TopicWatchDependencies
  readonly #changed: (reason: string) => void
  /** The partition count of each topic in the last round. */
  #known: ReadonlyMap<string, number> = new Map()
  #poll: NodeJS.Timeout | undefined
  /** How often in a row the brokers did not have the state of ZooKeeper. */
  #timesBehind = 0
  #timer: NodeJS.Timeout | undefined
  #isStopped = false
  readonly #onTopic = () => this.#notice('a subscribed topic changed')
  readonly #onTopics = () => void this.#lookAtTopics().catch(() => undefined)

  constructor(parts: TopicWatchDependencies, changed: (reason: string) => void) {
    this.#parts = parts
    this.#changed = changed
  }

  /** Watches the topics that a round is about to use. */
  async watch(topics: readonly TopicMetadata[]): Promise<void> {
    this.#known = countsOf(topics)
    clearTimeout(this.#poll)
    this.#poll = setTimeout(() => void this.#askBrokers(), this.#parts.metadataMaxAgeMs).unref()
    const states = await Promise.all(
      topics.map(({ name }) => this.#parts.session.data(`${BROKER_TOPICS}/${name}`, this.#onTopic)),
    )
    const isBehind = topics.some(
      ({ partitions }, index) => partitionCount(states[index]) > partitions.length,
    )
    const isMissing = await this.#lookAtTopics()
    if (isBehind) this.#lookAgain()
    else if (!isMissing) this.#timesBehind = 0
  }

  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
    clearTimeout(this.#poll)
  }

  async #askBrokers(): Promise<void> {
    const { subscription, metadataMaxAgeMs, logger } = this.#parts
    try {
      const now = countsOf(await subscription.topics())
      const isSame =
        now.size === this.#known.size &&
        [...now].every(([name, count]) => this.#known.get(name) === count)
      if (!isSame) this.#notice('the partitions of topics have changed')
    } catch (error) {
      logger.warn(`checking for new partitions failed: ${String(error)}`)
    }
    if (this.#isStopped) return
    clearTimeout(this.#poll)
    this.#poll = setTimeout(() => void this.#askBrokers(), metadataMaxAgeMs).unref()
  }

  /** A change of topics that no member here reads causes no rebalance. */
  async #lookAtTopics(): Promise<boolean> {
    const names = await this.#parts.session.children(BROKER_TOPICS, this.#onTopics)
    const wanted = (names ?? []).filter((name) => this.#parts.subscription.includes(name))
    const isMissing = wanted.some((name) => !this.#known.has(name))
    if (isMissing) this.#lookAgain()
    return isMissing
  }

  #lookAgain(): void {
    if (this.#isStopped) return
    clearTimeout(this.#timer)
    const waitMs = Math.min(LOOK_AGAIN_AT_MOST_MS, LOOK_AGAIN_MS * 2 ** this.#timesBehind++)
    this.#timer = setTimeout(() => this.#notice('there may be new partitions'), waitMs)
  }

  #notice(reason: string): void {
    if (!this.#isStopped) this.#changed(reason)
  }
}

function countsOf(topics: readonly TopicMetadata[]): Map<string, number> {
  return new Map(topics.map(({ name, partitions }) => [name, partitions.length]))
}

/**
 * Returns the partition count from what brokers write for a topic, `{"partitions":{"0":[1,2], …}}`; 0 for anything
 * else.
 */
function partitionCount(state: string | undefined): number {
  if (state === undefined) return 0
  try {
    const parsed: unknown = JSON.parse(state)
    if (typeof parsed !== 'object' || parsed === null || !('partitions' in parsed)) return 0
    return Object.keys(parsed.partitions ?? {}).length
  } catch {
    return 0
  }
}
