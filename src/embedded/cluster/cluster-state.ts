import type { KafkaProfile } from '../versions/profiles.ts'
import type { Timers } from '../timers.ts'
import type { Brokers } from './brokers.ts'
import { Topics, type TopicDefaults } from './topics.ts'
import { newUuid } from './uuid.ts'

export interface ClusterSettings extends TopicDefaults {
  readonly profile: KafkaProfile
  readonly autoCreateTopics: boolean
}

/** What all brokers of a cluster know: in a real one it is replicated among them. */
export class ClusterState {
  readonly clusterId = newUuid()
  readonly brokers: Brokers
  readonly topics: Topics
  readonly settings: ClusterSettings
  readonly timers: Timers
  /** How far the brokers' clock is from this machine's. */
  clockSkewMs = 0
  #nextProducerId = 0n

  constructor(brokers: Brokers, settings: ClusterSettings, timers: Timers) {
    this.brokers = brokers
    this.settings = settings
    this.timers = timers
    this.topics = new Topics(brokers, settings)
  }

  /** Milliseconds since 1970, by the brokers' clock. */
  nowMs(): number {
    return Date.now() + this.clockSkewMs
  }

  newProducerId(): bigint {
    return this.#nextProducerId++
  }
}
