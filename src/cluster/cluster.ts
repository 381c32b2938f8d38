import { metadata as metadataApi, type MetadataResponse } from '../../protocol/apis/metadata.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { Api } from '../../protocol/schema/api.ts'
import type { Decoded, Fields } from '../../protocol/schema/fields.ts'
import { backoffMs, type BackoffOptions } from '../async/backoff.ts'
import { Deadline } from '../async/deadline.ts'
import {
  BrokerError,
  ClosedError,
  ConnectionError,
  NoBrokersAvailableError,
  RequestTimeoutError,
  UnknownTopicError,
} from '../errors.ts'
import type { Address } from '../network/address.ts'
import { Broker, type BodyFor, type RequestOptions } from '../network/broker.ts'
import type { ConnectionOptions } from '../network/connection.ts'
import { topicsOf, type TopicMetadata } from './metadata.ts'

export interface ClusterOptions {
  readonly seeds: readonly Address[]
  readonly connection: ConnectionOptions
  /** How long one request may take. */
  readonly requestTimeoutMs: number
  readonly backoff: BackoffOptions
}

/** How often a topic that a broker does not know is asked for again: a new one takes a moment to be known. */
const UNKNOWN_TOPIC_RETRIES = 4

/** The first version of Metadata that does not create the topics it is asked for. */
const METADATA_WITHOUT_CREATION = 4

/** The brokers of a cluster, and what is known of its topics and leaders. */
export class Cluster {
  readonly options: ClusterOptions
  readonly #seeds: readonly Broker[]
  readonly #brokers = new Map<number, Broker>()
  readonly #topics = new Map<string, TopicMetadata>()
  #wanted = new Map<string, { create: boolean }>()
  /** The refresh that will start when the one under way is done: one at a time, however many ask. */
  #nextRefresh: Promise<void> | undefined
  #refresh: Promise<void> = Promise.resolve()
  #isClosed = false

  constructor(options: ClusterOptions) {
    this.options = options
    this.#seeds = options.seeds.map((address) => new Broker(-1, address, options.connection))
  }

  /** The brokers that are known, by node id. Empty before the first request. */
  get brokers(): ReadonlyMap<number, Broker> {
    return this.#brokers
  }

  /** What is known of a topic, without asking. */
  known(topic: string): TopicMetadata | undefined {
    return this.#topics.get(topic)
  }

  /** The broker that leads a partition as far as is known. */
  leaderOf(topic: string, partition: number): Broker | undefined {
    const leader = this.#topics
      .get(topic)
      ?.partitions.find((candidate) => candidate.partition === partition)?.leader
    return leader === undefined ? undefined : this.#brokers.get(leader)
  }

  /**
   * A topic's partitions, asked for until the topic is usable. With `create` the broker may create it,
   * where its configuration allows that; without, no broker of any version does.
   * Throws UnknownTopicError, BrokerError, NoBrokersAvailableError.
   */
  async topic(
    name: string,
    { create, deadline }: { create: boolean; deadline: Deadline },
  ): Promise<TopicMetadata> {
    for (let attempt = 0; ; attempt++) {
      await this.refresh(name, create)
      const found = this.#topics.get(name)
      const errorCode = found?.errorCode ?? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
      if (found !== undefined && errorCode === ErrorCode.NONE && found.partitions.length > 0) {
        return found
      }
      const error =
        errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
          ? new UnknownTopicError(unknownTopic(name, create), { topic: name })
          : new BrokerError(errorCode, `looking up topic '${name}'`, { topic: name })
      if (
        error instanceof UnknownTopicError ? attempt >= UNKNOWN_TOPIC_RETRIES : !error.retriable
      ) {
        throw error
      }
      const waitMs = backoffMs(attempt, this.options.backoff)
      if (!deadline.leaves(waitMs)) throw error
      await deadline.sleep(waitMs)
    }
  }

  /**
   * Asks for a topic's metadata anew. Calls at the same time share one request, and one request runs at a
   * time; the result covers whatever changed before the call.
   */
  refresh(topic: string, create = false): Promise<void> {
    this.#wanted.set(topic, { create: create || (this.#wanted.get(topic)?.create ?? false) })
    this.#nextRefresh ??= this.#refresh
      .catch(() => undefined)
      .then(() => {
        const wanted = this.#wanted
        this.#wanted = new Map()
        this.#nextRefresh = undefined
        this.#refresh = this.#fetchMetadata(wanted)
        return this.#refresh
      })
    return this.#nextRefresh
  }

  /** Sends a request to any broker, trying one after the other. Throws NoBrokersAvailableError. */
  async requestAny<Request extends Fields, Response extends Fields>(
    api: Api<Request, Response>,
    body: BodyFor<Request>,
    options: RequestOptions,
  ): Promise<Decoded<Response>> {
    const attempts: { address: string; error: Error }[] = []
    for (const broker of this.#candidates()) {
      if (this.#isClosed) throw new ClosedError('client')
      try {
        return await broker.request(api, body, options)
      } catch (error) {
        if (!(error instanceof ConnectionError || error instanceof RequestTimeoutError)) throw error
        attempts.push({ address: broker.name, error })
      }
    }
    throw new NoBrokersAvailableError(attempts)
  }

  /** Closes all connections. What waits for a response gets a ClosedError. */
  close(): void {
    this.#isClosed = true
    for (const broker of [...this.#seeds, ...this.#brokers.values()]) broker.close()
  }

  /** Known brokers in random order, so that load is spread, then the bootstrap addresses in theirs. */
  #candidates(): Broker[] {
    const known = [...this.#brokers.values()]
    for (let i = known.length - 1; i > 0; i--) {
      const j = Math.floor(Math.random() * (i + 1))
      const swapped = known[i]!
      known[i] = known[j]!
      known[j] = swapped
    }
    const names = new Set(known.map(({ name }) => name))
    return [...known, ...this.#seeds.filter(({ name }) => !names.has(name))]
  }

  async #fetchMetadata(wanted: ReadonlyMap<string, { create: boolean }>): Promise<void> {
    const create = [...wanted.values()].some((one) => one.create)
    const response = await this.requestAny(
      metadataApi,
      (version) => {
        // Before v4 asking for a topic creates it: who doesn't want that asks for all there are.
        const all = !create && version < METADATA_WITHOUT_CREATION
        const names = [...wanted.keys()].map((name) => ({ name }))
        return {
          topics: all ? (version === 0 ? [] : null) : names,
          ...(version < METADATA_WITHOUT_CREATION ? {} : { allowAutoTopicCreation: create }),
        }
      },
      { timeoutMs: this.options.requestTimeoutMs },
    )
    this.#learn(response, wanted)
  }

  #learn(response: MetadataResponse, wanted: ReadonlyMap<string, unknown>): void {
    const gone = new Set(this.#brokers.keys())
    for (const { nodeId, host, port } of response.brokers) {
      gone.delete(nodeId)
      const known = this.#brokers.get(nodeId)
      if (known?.address.host === host && known.address.port === port) continue
      known?.close()
      this.#brokers.set(nodeId, new Broker(nodeId, { host, port }, this.options.connection))
    }
    for (const nodeId of gone) {
      this.#brokers.get(nodeId)?.close()
      this.#brokers.delete(nodeId)
    }
    const found = new Map(topicsOf(response).map((topic) => [topic.name, topic]))
    for (const name of wanted.keys()) {
      const topic = found.get(name)
      if (topic === undefined) this.#topics.delete(name)
      else this.#topics.set(name, topic)
    }
  }
}

function unknownTopic(name: string, create: boolean): string {
  return create
    ? `topic '${name}' does not exist, and the brokers do not create it by themselves`
    : `topic '${name}' does not exist`
}
