import { ErrorCode } from '../../protocol/errors.ts'
import { Deadline } from '../async/deadline.ts'
import { allTopics } from '../cluster/all-topics.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { TopicMetadata } from '../cluster/metadata.ts'

/** What a member wants to read, and what of it there is. */
export interface Subscription {
  /** For logs: `topic 'orders'`. */
  readonly name: string
  /** The one topic of a subscription that will never be of another, or of more. */
  readonly onlyTopic: string | undefined
  /** The topics by name, whether they exist or not; undefined for a pattern. */
  readonly names?: readonly string[] | undefined
  /** The expression that the brokers match, in the syntax of RE2; undefined where the client knows what is meant. */
  readonly serverPattern?: string | undefined
  /** Whether a topic of this name is meant. */
  includes(topic: string): boolean
  /** Asks the brokers for all topics that are meant and exist, with their partitions as they are now. */
  topics(): Promise<readonly TopicMetadata[]>
}

/** Some topics by name. One that does not exist (any more) is left out until it does. */
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
    // One request for all: see Cluster.refresh.
    await Promise.all(this.names.map((name) => this.#cluster.refresh(name)))
    return this.names.flatMap((name) => {
      const topic = this.#cluster.known(name)
      return topic?.errorCode === ErrorCode.NONE ? [topic] : []
    })
  }
}

/** All topics whose names match, Kafka's own apart; also those that come later. */
export class MatchingTopics implements Subscription {
  readonly name: string
  readonly onlyTopic = undefined
  readonly #cluster: Cluster
  readonly #pattern: RegExp

  /** The pattern is one that remembers nothing: see `topicsFrom`. */
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

/** All topics that the brokers find to match an expression of theirs (KIP-848), also those that come later. */
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

  /** What the coordinator assigns is what matches: JavaScript reads expressions differently. */
  includes(): boolean {
    return true
  }

  /** All that may match. */
  topics(): Promise<readonly TopicMetadata[]> {
    return allTopics(this.#cluster, new Deadline(this.#cluster.options.operationTimeoutMs))
  }
}
