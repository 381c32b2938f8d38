import { ErrorCode } from '../../../protocol/errors.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import type { TopicMetadata } from '../../cluster/metadata.ts'
import { FRESH_METADATA_MS } from '../../cluster/topic-lookup.ts'
import { BrokerError } from '../../errors.ts'
import type { AssignableTopics } from '../assignors/assignor.ts'
import type { GroupSettings } from './settings.ts'

/** Missing topics are looked up at this interval, or with the metadata if that is refreshed more often. */
const MISSING_TOPIC_INTERVAL_MS = 5_000

/** The results for a topic that the broker certainly knows, or knows not to exist. */
const CERTAIN: ReadonlySet<number> = new Set([ErrorCode.NONE, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION])

/**
 * The topics of a group as the brokers report them: looked up at each rebalance, and at intervals in between. The
 * leader watches the topics of all members; a member with a pattern watches the topics that match it.
 */
export class TopicWatch {
  readonly #cluster: Cluster
  readonly #settings: GroupSettings
  readonly #onChanged: (reason: string) => void
  /** The topics that this member sent to the group. */
  #wanted: readonly string[] = []
  /** As leader: the partition count of each topic of the group, 0 for a topic that did not exist. */
  #counts: ReadonlyMap<string, number> | undefined
  #hasDescribed = false
  #timer: NodeJS.Timeout | undefined
  #isStopped = false

  constructor(cluster: Cluster, settings: GroupSettings, onChanged: (reason: string) => void) {
    this.#cluster = cluster
    this.#settings = settings
    this.#onChanged = onChanged
  }

  /**
   * Returns the topics to send to the group. A rebalance starts with this call, so earlier watches no longer count.
   */
  async wanted(): Promise<readonly string[]> {
    this.#stopTimer()
    this.#counts = undefined
    this.#wanted = await this.#namesNow()
    if (this.#wanted.length === 0) {
      const { groupId, subscription } = this.#settings
      this.#cluster.options.logger.warn(
        `group '${groupId}': ${subscription.name} match no topic now: waiting for a topic to read`,
      )
    }
    return this.#wanted
  }

  /**
   * As leader: returns the partitions of the topics that all members want. Throws BrokerError for a topic of this
   * member that it may not read.
   */
  async describe(names: readonly string[]): Promise<AssignableTopics> {
    // The first member of a group has just looked up its topics. Every later rebalance may be because of a change.
    const maxAgeMs = this.#hasDescribed ? -1 : FRESH_METADATA_MS
    this.#hasDescribed = true
    const stale = names.filter((name) => this.#cluster.metadataAgeMs(name) > maxAgeMs)
    await Promise.all(stale.map((name) => this.#cluster.refresh(name)))
    const topics = new Map(
      names.flatMap((name) => {
        const topic = this.#usable(name)
        return topic === undefined ? [] : [[name, this.#assignable(topic)] as const]
      }),
    )
    this.#counts = new Map(names.map((name) => [name, topics.get(name)?.length ?? 0]))
    return topics
  }

  /** Call this when the rebalance is over. */
  watch(): void {
    this.#stopTimer()
    const isPattern = this.#settings.subscription.names === undefined
    if (this.#isStopped || (!isPattern && this.#counts === undefined)) return
    const { metadataMaxAgeMs } = this.#cluster.options
    const isMissing = this.#wanted.length === 0 || [...(this.#counts?.values() ?? [])].includes(0)
    const waitMs = isMissing
      ? Math.min(metadataMaxAgeMs, MISSING_TOPIC_INTERVAL_MS)
      : metadataMaxAgeMs
    this.#timer = setTimeout(() => void this.#look(), waitMs)
  }

  stop(): void {
    this.#isStopped = true
    this.#stopTimer()
  }

  async #look(): Promise<void> {
    const timer = this.#timer
    let change: string | undefined
    try {
      change = (await this.#newTopics()) ?? (await this.#newPartitions())
    } catch (error) {
      this.#cluster.options.logger.warn(`checking for new partitions failed: ${String(error)}`)
    }
    // A rebalance has begun in the meantime, which looks the topics up itself.
    if (this.#timer !== timer) return
    if (change !== undefined) this.#onChanged(change)
    this.watch()
  }

  async #newTopics(): Promise<string | undefined> {
    if (this.#settings.subscription.names !== undefined) return undefined
    const names = await this.#namesNow()
    const isSame =
      names.length === this.#wanted.length && names.every((name) => this.#wanted.includes(name))
    return isSame ? undefined : `${this.#settings.subscription.name} is now ${names.join(', ')}`
  }

  async #newPartitions(): Promise<string | undefined> {
    const counts = this.#counts
    if (counts === undefined) return undefined
    await Promise.all([...counts.keys()].map((name) => this.#cluster.refresh(name)))
    for (const [name, before] of counts) {
      const topic = this.#cluster.known(name)
      // The topic may be missing only while a broker starts: only certain results count.
      const isCertain = topic === undefined || CERTAIN.has(topic.errorCode)
      const now = topic?.errorCode === ErrorCode.NONE ? topic.partitions.length : 0
      if (isCertain && now !== before)
        return `topic '${name}' has ${now} partitions, it had ${before}`
    }
    return undefined
  }

  async #namesNow(): Promise<readonly string[]> {
    const { names } = this.#settings.subscription
    if (names !== undefined) return names
    return (await this.#settings.subscription.topics()).map(({ name }) => name).sort()
  }

  #usable(name: string): TopicMetadata | undefined {
    const topic = this.#cluster.known(name)
    if (topic === undefined || topic.errorCode === ErrorCode.NONE) return topic
    const isAbsent = topic.errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    if (isAbsent || !this.#wanted.includes(name)) return undefined
    throw new BrokerError(topic.errorCode, `looking up topic '${name}'`, { topic: name })
  }

  #assignable({ partitions }: TopicMetadata) {
    return partitions.map(({ partition, replicas }) => {
      const racks = replicas.map((replica) => this.#cluster.brokers.get(replica)?.rack)
      return { partition, racks: new Set(racks.filter((rack) => typeof rack === 'string')) }
    })
  }

  #stopTimer(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
