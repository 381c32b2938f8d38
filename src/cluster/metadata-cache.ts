import { describeCluster } from '../../protocol/apis/describe-cluster.ts'
import { metadata as metadataApi, type MetadataResponse } from '../../protocol/apis/metadata.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import { BrokerError, InvalidArgumentError, requiresKafka } from '../errors.ts'
import type { Broker } from '../network/broker.ts'
import { LOOKUP_PATIENCE_MS, type BrokerPool } from './broker-pool.ts'
import {
  partitionNumbered,
  topicsOf,
  updatedMetadata,
  type PartitionMetadata,
  type TopicMetadata,
} from './metadata.ts'
import { metadataRequest } from './metadata-request.ts'

/** DescribeCluster before this version returns only brokers. */
const WITH_CONTROLLERS = 1
/** Kafka's `EndpointType`: 1 is brokers. */
export const CONTROLLERS = 2

interface Wanted {
  readonly create: boolean
}

/** The leader of a partition, as a response names it. */
export interface NamedLeader {
  readonly partition: number
  /** The node id. */
  readonly leaderId: number
  readonly leaderEpoch: number
}

/** The metadata of topics, their leaders and the controller, and the requests for it. */
export class MetadataCache {
  readonly #pool: BrokerPool
  readonly #topics = new Map<string, TopicMetadata>()
  /** When the last response had the topic, by `performance.now()`. */
  readonly #learnedAt = new Map<string, number>()
  /** Topics that were used since they were last refreshed because of their age. */
  readonly #used = new Set<string>()
  #wanted = new Map<string, Wanted>()
  /** The refresh that starts when the one in progress is done. Only one runs at a time, no matter how many callers wait. */
  #nextRefresh: Promise<void> | undefined
  #refresh: Promise<void> = Promise.resolve()
  #ageTimer: NodeJS.Timeout | undefined
  /** The node id; −1 if it is not known. */
  #controllerId = -1

  constructor(pool: BrokerPool) {
    this.#pool = pool
  }

  /** The controller, if known. Brokers before 0.10 (Metadata v0) do not report it. */
  get controller(): Broker | undefined {
    return this.#pool.brokers.get(this.#controllerId)
  }

  /** Forgets the controller: the next request to it looks it up again. */
  forgetController(): void {
    this.#controllerId = -1
  }

  /**
   * The cached metadata of a topic. If the last response had an error for it, `errorCode` is that error, and the
   * partitions are those that were known before.
   */
  known(topic: string): TopicMetadata | undefined {
    this.#used.add(topic)
    return this.#topics.get(topic)
  }

  /** How old the cached metadata of a topic is; Infinity if there is none. */
  ageMs(topic: string): number {
    return performance.now() - (this.#learnedAt.get(topic) ?? -Infinity)
  }

  /** The broker that leads a partition, if known. */
  leaderOf(topic: string, partition: number): Broker | undefined {
    const partitions = this.known(topic)?.partitions
    const found = partitions && partitionNumbered(partitions, partition)
    return found === undefined ? undefined : this.#pool.brokers.get(found.leader)
  }

  /** −1 where it is not known. */
  leaderEpochOf(topic: string, partition: number): number {
    const partitions = this.known(topic)?.partitions
    return (partitions && partitionNumbered(partitions, partition))?.leaderEpoch ?? -1
  }

  /**
   * Takes over the leaders that a response names beside an error (KIP-951), until the next refresh. Ignores those that
   * are not newer, and brokers whose address is not known.
   */
  learnLeaders(topic: string, leaders: readonly NamedLeader[]): void {
    const known = this.#topics.get(topic)
    if (known === undefined) return
    const newer = new Map<number, NamedLeader>()
    for (const one of leaders) {
      const before = partitionNumbered(known.partitions, one.partition)
      if (before === undefined || one.leaderEpoch <= before.leaderEpoch) continue
      if (this.#pool.brokers.has(one.leaderId)) newer.set(one.partition, one)
    }
    if (newer.size === 0) return
    const partitions = known.partitions.map((one): PartitionMetadata => {
      const named = newer.get(one.partition)
      if (named === undefined) return one
      const { leaderId: leader, leaderEpoch } = named
      return { ...one, errorCode: ErrorCode.NONE, leader, leaderEpoch }
    })
    this.#topics.set(topic, { ...known, partitions })
  }

  /**
   * Refreshes a topic's metadata. Calls at the same time share one request, and only one request runs at a time. The
   * result covers every change that was made before the call.
   */
  refresh(topic: string, create = false): Promise<void> {
    this.#wanted.set(topic, { create: create || (this.#wanted.get(topic)?.create ?? false) })
    this.#nextRefresh ??= this.#refresh
      .catch(() => undefined)
      .then(() => {
        const wanted = this.#wanted
        this.#wanted = new Map()
        this.#nextRefresh = undefined
        this.#refresh = this.#fetchWanted(wanted)
        return this.#refresh
      })
    return this.#nextRefresh
  }

  /** Refreshes the brokers, the controller, and all known topics. */
  async refreshAll(): Promise<void> {
    const names = [...this.#topics.keys()]
    if (names.length === 0) await this.refreshBrokers()
    else await Promise.all(names.map((name) => this.refresh(name)))
  }

  /** Refreshes the brokers and the controller, and no topic. */
  refreshBrokers(): Promise<void> {
    return this.#pool.options.bootstrapsFromControllers
      ? this.#fetchControllers()
      : this.#fetchMetadata([], false)
  }

  /** Stops refreshing topics because of their age. */
  close(): void {
    clearInterval(this.#ageTimer)
  }

  /**
   * Topics that may be created and others are in separate requests, because the permission applies to a whole request.
   */
  async #fetchWanted(wanted: ReadonlyMap<string, Wanted>): Promise<void> {
    for (const create of [false, true]) {
      const names = [...wanted].filter(([, one]) => one.create === create).map(([name]) => name)
      if (names.length > 0) await this.#fetchMetadata(names, create)
    }
  }

  /** Controllers do not support Metadata. DescribeCluster returns the controllers of the quorum, and the active one. */
  async #fetchControllers(): Promise<void> {
    const response = await this.#pool.requestAny(
      describeCluster,
      (version) => {
        if (version >= WITH_CONTROLLERS) {
          return { includeClusterAuthorizedOperations: false, endpointType: CONTROLLERS }
        }
        throw requiresKafka('bootstrapControllers', '3.7')
      },
      { timeoutMs: this.#pool.options.requestTimeoutMs, patienceMs: LOOKUP_PATIENCE_MS },
    )
    const { errorCode, errorMessage, clusterId, controllerId, brokers } = response
    if (errorCode !== ErrorCode.NONE) {
      throw new BrokerError(errorCode, 'finding the controllers', {}, errorMessage)
    }
    this.#pool.update(
      clusterId,
      brokers.map((one) => ({ ...one, nodeId: one.brokerId })),
    )
    this.#controllerId = controllerId
  }

  async #fetchMetadata(
    wanted: readonly string[],
    create: boolean,
    isRebootstrapped = false,
  ): Promise<void> {
    if (this.#pool.options.bootstrapsFromControllers) {
      throw new InvalidArgumentError(
        'controllers have no topics and no groups: create a client with hosts instead of bootstrapControllers',
      )
    }
    const { response, broker } = await this.#pool.askAny(
      metadataApi,
      (version) => metadataRequest(version, wanted, create),
      { timeoutMs: this.#pool.options.requestTimeoutMs, patienceMs: LOOKUP_PATIENCE_MS },
    )
    if (response.errorCode === ErrorCode.REBOOTSTRAP_REQUIRED && !isRebootstrapped) {
      this.#pool.rebootstrap()
      return this.#fetchMetadata(wanted, create, true)
    }
    if (response.errorCode !== ErrorCode.NONE) throw new BrokerError(response.errorCode, 'Metadata')
    this.#learn(response, wanted, broker)
    this.#watchAge()
  }

  #learn(response: MetadataResponse, wanted: readonly string[], from: Broker): void {
    this.#pool.update(response.clusterId, response.brokers, from)
    this.#controllerId = response.controllerId
    const found = new Map(topicsOf(response).map((topic) => [topic.name, topic]))
    for (const name of wanted) {
      const topic = updatedMetadata(this.#topics.get(name), found.get(name))
      if (topic === undefined) continue
      this.#topics.set(name, topic)
      this.#learnedAt.set(name, performance.now())
    }
  }

  /** Leaders move while the client sends nothing, so topics in use are refreshed at intervals. */
  #watchAge(): void {
    if (this.#ageTimer !== undefined || this.#pool.isClosed) return
    this.#ageTimer = setInterval(() => {
      const used = [...this.#used].filter((name) => this.#topics.has(name))
      this.#used.clear()
      for (const name of used) {
        this.refresh(name).catch((error: unknown) =>
          this.#pool.options.logger.warn(`refreshing metadata failed: ${String(error)}`),
        )
      }
    }, this.#pool.options.metadataMaxAgeMs)
    this.#ageTimer.unref()
  }
}
