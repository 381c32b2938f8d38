import type { KafkaProfile } from '../versions/profiles.ts'
import type { Timers } from '../timers.ts'
import type { ClusterStorage } from '../storage/cluster-storage.ts'
import type { Brokers } from './brokers.ts'
import { Features } from './features.ts'
import { Topics, type TopicDefaults } from './topics.ts'
import { ClientMetricsReceiver } from '../telemetry/client-metrics.ts'
import { newUuid } from './uuid.ts'

export interface ClusterStateSettings extends TopicDefaults {
  readonly profile: KafkaProfile
  readonly autoCreateTopics: boolean
  /** The level of the feature `transaction.version`. */
  readonly transactionVersion: 0 | 1 | 2
  /** Whether a broker has a plugin for the metrics of clients. */
  readonly receivesMetrics: (broker: number) => boolean
  /** The configs that the options of the cluster set, by Kafka's names. */
  readonly brokerConfig: ReadonlyMap<string, string>
}

const PRODUCER_IDS_AT_ONCE = 1000n

/** The state that all brokers of a cluster share; a real cluster replicates it. */
export class ClusterState {
  readonly clusterId: string
  readonly brokers: Brokers
  readonly topics: Topics
  readonly features: Features
  readonly settings: ClusterStateSettings
  readonly timers: Timers
  readonly clientMetrics: ClientMetricsReceiver
  /** The difference between the brokers' clock and this machine's. */
  clockSkewMs = 0
  readonly #storage: ClusterStorage
  #nextProducerId: bigint
  #producerIdsEnd: bigint

  constructor(
    brokers: Brokers,
    settings: ClusterStateSettings,
    timers: Timers,
    storage: ClusterStorage,
  ) {
    this.brokers = brokers
    this.settings = settings
    this.features = new Features(settings.profile.metadataLevel, settings.transactionVersion)
    this.timers = timers
    this.clientMetrics = new ClientMetricsReceiver(settings.receivesMetrics, newUuid, {
      saved: storage.saved.clientMetrics,
      save: (name, values) => storage.save({ kind: 'clientMetrics', name, values }),
    })
    this.topics = new Topics(brokers, settings, storage)
    this.#storage = storage
    const { clusterId, nextProducerId } = storage.saved
    this.clusterId = clusterId ?? newUuid()
    if (clusterId === undefined) storage.save({ kind: 'cluster', clusterId: this.clusterId })
    this.#nextProducerId = nextProducerId
    this.#producerIdsEnd = nextProducerId
  }

  /** Milliseconds since 1970, by the brokers' clock. */
  nowMs(): number {
    return Date.now() + this.clockSkewMs
  }

  /** Deletes the records and producer ids that have expired; Kafka checks this only periodically, too. */
  removeExpired(): void {
    this.topics.removeExpired(this.nowMs(), this.settings.profile.producerIdExpirationMs)
  }

  /**
   * An id that was never allocated, also not before a restart: as in Kafka, ids are recorded in
   * blocks.
   */
  newProducerId(): bigint {
    if (this.#nextProducerId === this.#producerIdsEnd) {
      const next = this.#producerIdsEnd + PRODUCER_IDS_AT_ONCE
      this.#storage.save({ kind: 'producerIds', next: String(next) })
      this.#producerIdsEnd = next
    }
    return this.#nextProducerId++
  }
}
