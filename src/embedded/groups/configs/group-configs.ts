import { BROKER_CONFIGS } from '../../cluster/broker-configs.ts'
import { durationMs } from '../../cluster/iso-duration.ts'
import { Refused } from '../../refused.ts'
import type { ClusterStorage } from '../../storage/cluster-storage.ts'
import type { ConsumerGroupSettings } from '../consumer/consumer-group.ts'
import type { ShareSettings, StartOfGroup } from '../share-partition.ts'
import { groupConfigOf, parsedGroupConfig } from './group-config-definitions.ts'

/** The settings of all groups that the options of the cluster determine. */
export interface GroupDefaults {
  /** The values of brokers' configs, by Kafka's names. */
  readonly brokerConfig: ReadonlyMap<string, string>
  readonly shareAutoOffsetReset: 'earliest' | 'latest'
  readonly consumerMaxSize: number
}

const BROKER_DEFAULTS: ReadonlyMap<string, string | null> = new Map(
  BROKER_CONFIGS.map(({ name, defaultValue }) => [name, defaultValue]),
)
const RESET = 'share.auto.offset.reset'
const BY_DURATION = 'by_duration:'

/**
 * The configs of groups, which override those of brokers. As in Kafka, a group may have configs before it exists, and
 * keeps them when it is deleted.
 */
export class GroupConfigs {
  readonly #byGroup = new Map<string, ReadonlyMap<string, string>>()
  readonly #defaults: GroupDefaults
  readonly #storage: ClusterStorage

  constructor(defaults: GroupDefaults, storage: ClusterStorage) {
    this.#defaults = defaults
    this.#storage = storage
    for (const { group, values } of storage.saved.groupConfigs) {
      this.#byGroup.set(group, new Map(Object.entries(values)))
    }
  }

  /** The groups that have configs of their own. */
  get groups(): readonly string[] {
    return [...this.#byGroup.keys()]
  }

  overridesOf(group: string): ReadonlyMap<string, string> {
    return this.#byGroup.get(group) ?? new Map<string, string>()
  }

  /** The value of a config in groups that do not set it. */
  defaultOf(name: string): string {
    if (name === RESET) return this.#defaults.shareAutoOffsetReset
    const { ofBroker, defaultValue } = groupConfigOf(name)
    return (ofBroker === undefined ? undefined : this.#ofBroker(ofBroker)) ?? defaultValue
  }

  valueOf(group: string, name: string): string {
    return this.#byGroup.get(group)?.get(name) ?? this.defaultOf(name)
  }

  /** Replaces the configs of a group. Throws INVALID_CONFIG. */
  configure(
    group: string,
    given: Iterable<readonly [string, string]>,
    validateOnly: boolean,
  ): void {
    const values = new Map<string, string>()
    for (const [name, value] of given) {
      const parsed = parsedGroupConfig(groupConfigOf(name), value)
      values.set(name, parsed)
    }
    for (const [name, value] of values) this.#checkRange(name, Number(value))
    if (validateOnly) return
    this.#storage.save({ kind: 'groupConfig', group, values: Object.fromEntries(values) })
    if (values.size === 0) this.#byGroup.delete(group)
    else this.#byGroup.set(group, values)
  }

  /** The settings of a share group; they follow its configs. */
  shareSettings(group: string): ShareSettings {
    const numberOf = (name: string) => Number(this.valueOf(group, name))
    const valueOf = (name: string) => this.valueOf(group, name)
    return {
      get recordLockMs() {
        return numberOf('share.record.lock.duration.ms')
      },
      get deliveryCountLimit() {
        return numberOf('share.delivery.count.limit')
      },
      get maxRecordLocks() {
        return numberOf('share.partition.max.record.locks')
      },
      get start() {
        return startOf(valueOf(RESET))
      },
      get isReadCommitted() {
        return valueOf('share.isolation.level') === 'read_committed'
      },
      get mayRenew() {
        return valueOf('share.renew.acknowledge.enable').toLowerCase() === 'true'
      },
      get sessionTimeoutMs() {
        return numberOf('share.session.timeout.ms')
      },
      get heartbeatIntervalMs() {
        return numberOf('share.heartbeat.interval.ms')
      },
    }
  }

  /** The settings of a group of the consumer protocol; they follow its configs. */
  consumerSettings(group: string): ConsumerGroupSettings {
    const numberOf = (name: string) => Number(this.valueOf(group, name))
    return {
      maxSize: this.#defaults.consumerMaxSize,
      get sessionTimeoutMs() {
        return numberOf('consumer.session.timeout.ms')
      },
      get heartbeatIntervalMs() {
        return numberOf('consumer.heartbeat.interval.ms')
      },
    }
  }

  #ofBroker(name: string): string | undefined {
    return this.#defaults.brokerConfig.get(name) ?? BROKER_DEFAULTS.get(name) ?? undefined
  }

  /**
   * Checks a value against the limits that the brokers set for groups. If the options of the cluster set a default
   * outside of these limits, values up to that default are valid. Throws INVALID_CONFIG.
   */
  #checkRange(name: string, value: number): void {
    const { ofBroker } = groupConfigOf(name)
    if (ofBroker === undefined) return
    if (name === 'streams.num.standby.replicas') {
      const most = Number(this.#ofBroker('group.streams.max.standby.replicas'))
      if (value <= most) return
      throw new Refused('INVALID_CONFIG', `${name} must be less than or equal to ${most}`)
    }
    const [, kind = '', rest = ''] = /^group\.(\w+)\.(.*)$/.exec(ofBroker) ?? []
    const min = this.#ofBroker(`group.${kind}.min.${rest}`)
    const max = this.#ofBroker(`group.${kind}.max.${rest}`)
    if (min === undefined || max === undefined) return
    const own = Number(this.#ofBroker(ofBroker))
    const least = Math.min(Number(min), own)
    const most = Math.max(Number(max), own)
    if (value >= least && value <= most) return
    const detail = `${name} must be in the range ${least} to ${most} inclusive.`
    throw new Refused('INVALID_CONFIG', detail)
  }
}

function startOf(reset: string): StartOfGroup {
  if (reset === 'earliest' || reset === 'latest') return { at: reset }
  return { at: 'time', agoMs: durationMs(reset.slice(BY_DURATION.length)) }
}
