import { ErrorCode } from '../../protocol/errors.ts'
import { Deadline } from '../async/deadline.ts'
import { allTopics } from '../cluster/all-topics.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { TopicMetadata } from '../cluster/metadata.ts'

/** The topics that a member wants to read, and those of them that exist. */
export interface Subscription {
  /** The name for logs: `topic 'orders'`. */
  readonly name: string
  /** The topic of a subscription that always has exactly this one topic. */
  readonly onlyTopic: string | undefined
  /** The topics by name, existing or not; undefined for a pattern. */
  readonly names?: readonly string[] | undefined
  /** The expression that the brokers match, in the syntax of RE2; undefined if the client knows the topics. */
  readonly serverPattern?: string | undefined
  /** Returns true if the subscription includes a topic of this name. */
  includes(topic: string): boolean
  /** Looks up all subscribed topics that exist, with their current partitions. */
  topics(): Promise<readonly TopicMetadata[]>
}

/** Topics by name. A topic that does not exist (or no longer) is left out until it does. */
export class NamedTopics implements Subscription {
  readonly name: string
  readonly onlyTopic: string | undefined
  readonly names: readonly string[]
  readonly #cluster: Cluster

  constructor(cluster: Cluster, names: readonly string[]) {
    this.#cluster = cluster
    this.names = names
    this.onlyTopic = names.length === 1 ? names[0] : undefined
    this.name = `${names.length === 1 ? 'topic' : 'topics'} ${names.map((one) => `'${one}'`).join(', ')}`
  }

  includes(topic: string): boolean {
    return this.names.includes(topic)
  }

  async topics(): Promise<readonly TopicMetadata[]> {
    // One request for all topics: see Cluster.refresh.
    await Promise.all(this.names.map((name) => this.#cluster.refresh(name)))
    return this.names.flatMap((name) => {
      const topic = this.#cluster.known(name)
      return topic?.errorCode === ErrorCode.NONE ? [topic] : []
    })
  }
}

/** All topics whose names match, without Kafka's internal ones; also those that are created later. */
export class MatchingTopics implements Subscription {
  readonly name: string
  readonly onlyTopic = undefined
  readonly #cluster: Cluster
  readonly #pattern: RegExp

  /** `topicsFrom` has made the pattern stateless. */
  constructor(cluster: Cluster, pattern: RegExp) {
    this.#cluster = cluster
    this.#pattern = pattern
    this.name = `topics ${String(pattern)}`
  }

  includes(topic: string): boolean {
    return this.#pattern.test(topic)
  }

  async topics(): Promise<readonly TopicMetadata[]> {
    const deadline = new Deadline(this.#cluster.options.operationTimeoutMs)
    return (await allTopics(this.#cluster, deadline)).filter(
      ({ name, isInternal }) => !isInternal && this.includes(name),
    )
  }
}

/** All topics that match an expression on the broker (KIP-848), also those that are created later. */
export class ServerMatchedTopics implements Subscription {
  readonly name: string
  readonly onlyTopic = undefined
  readonly serverPattern: string
  readonly #cluster: Cluster

  constructor(cluster: Cluster, pattern: string) {
    this.#cluster = cluster
    this.serverPattern = pattern
    this.name = `topics that match '${pattern}'`
  }

  /**
   * The coordinator assigns only matching topics. The client cannot check, because JavaScript reads expressions
   * differently.
   */
  includes(): boolean {
    return true
  }

  /** All topics that may match. */
  topics(): Promise<readonly TopicMetadata[]> {
    return allTopics(this.#cluster, new Deadline(this.#cluster.options.operationTimeoutMs))
  }
}
