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
  /** What ZooKeeper had of each topic in the last round. */
  readonly #identities = new Map<string, string>()
  /** One function for each topic: ZooKeeper's client calls the same function once, no matter how often it is registered. */
  readonly #onTopic = new Map<string, () => void>()
  #poll: NodeJS.Timeout | undefined
  /** The number of consecutive times that the brokers did not have the state of ZooKeeper. */
  #timesBehind = 0
  #timer: NodeJS.Timeout | undefined
  #isStopped = false
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
    const states = await Promise.all(topics.map(({ name }) => this.#stateOf(name)))
    for (const [index, { name }] of topics.entries()) {
      this.#identities.set(name, identityOf(states[index]!))
    }
    const isBehind = topics.some(
      ({ partitions }, index) => states[index]!.partitionCount > partitions.length,
    )
    const isMissing = await this.#lookAtTopics()
    if (isBehind) this.#lookAgain()
    else if (!isMissing) this.#timesBehind = 0
  }

  async #stateOf(name: string): Promise<TopicState> {
    let onTopic = this.#onTopic.get(name)
    if (onTopic === undefined) {
      onTopic = () => void this.#lookAtTopic(name)
      this.#onTopic.set(name, onTopic)
    }
    return parseState(await this.#parts.session.data(`${BROKER_TOPICS}/${name}`, onTopic))
  }

  /** A reassignment changes only the replicas in the state of a topic, and causes no rebalance. */
  async #lookAtTopic(name: string): Promise<void> {
    if (this.#isStopped) return
    try {
      if (identityOf(await this.#stateOf(name)) === this.#identities.get(name)) return
    } catch {
      // The session has failed: the rebalance reports why.
    }
    this.#notice('a subscribed topic changed')
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

interface TopicState {
  /** 0 for a topic that does not exist. */
  readonly partitionCount: number
  /** Undefined before Kafka 2.8. */
  readonly topicId: string | undefined
}

/** Differs when the topic gets partitions, and when it is deleted and created again. */
function identityOf({ partitionCount, topicId }: TopicState): string {
  return `${topicId ?? 'no id'} ${partitionCount}`
}

const NO_TOPIC: TopicState = { partitionCount: 0, topicId: undefined }

/** Reads what brokers write for a topic: `{"partitions":{"0":[1,2], …},"topic_id":"…", …}`. */
function parseState(text: string | undefined): TopicState {
  if (text === undefined) return NO_TOPIC
  try {
    const parsed: unknown = JSON.parse(text)
    if (typeof parsed !== 'object' || parsed === null || !('partitions' in parsed)) return NO_TOPIC
    const topicId = 'topic_id' in parsed ? String(parsed.topic_id) : undefined
    return { partitionCount: Object.keys(parsed.partitions ?? {}).length, topicId }
  } catch {
    return NO_TOPIC
  }
}
