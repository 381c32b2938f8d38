import type { ConfigDefinition, TopicConfigType } from './config-definition.ts'
import type { Compression } from '../../../protocol/compression/index.ts'
import { Refused } from '../refused.ts'
import { checkConfigValue } from './config-values.ts'

/**
 * All configs of a topic in Kafka 4.4, with the brokers' defaults, so that tools can set and read
 * them. Only those that `TopicConfig` has a property for have an effect; the others are stored.
 */
// A config on each line.
// prettier-ignore
const ROWS: readonly (readonly [string, string, TopicConfigType, string?])[] = [
  ['cleanup.policy', 'delete', 'list', 'log.cleanup.policy'],
  ['compression.gzip.level', '-1', 'int', 'compression.gzip.level'],
  ['compression.lz4.level', '9', 'int', 'compression.lz4.level'],
  ['compression.type', 'producer', 'string', 'compression.type'],
  ['compression.zstd.level', '3', 'int', 'compression.zstd.level'],
  ['delete.retention.ms', '86400000', 'long', 'log.cleaner.delete.retention.ms'],
  ['errors.deadletterqueue.group.enable', 'false', 'boolean'],
  ['file.delete.delay.ms', '60000', 'long', 'log.segment.delete.delay.ms'],
  ['flush.messages', '9223372036854775807', 'long', 'log.flush.interval.messages'],
  ['flush.ms', '9223372036854775807', 'long'],
  ['follower.replication.throttled.replicas', '', 'list'],
  ['index.interval.bytes', '4096', 'int', 'log.index.interval.bytes'],
  ['leader.replication.throttled.replicas', '', 'list'],
  ['local.retention.bytes', '-2', 'long', 'log.local.retention.bytes'],
  ['local.retention.ms', '-2', 'long', 'log.local.retention.ms'],
  ['max.compaction.lag.ms', '9223372036854775807', 'long', 'log.cleaner.max.compaction.lag.ms'],
  ['max.decompressed.message.bytes', '2147483639', 'int', 'max.decompressed.message.bytes'],
  ['max.message.bytes', '1048588', 'int', 'message.max.bytes'],
  ['message.timestamp.after.max.ms', '3600000', 'long', 'log.message.timestamp.after.max.ms'],
  ['message.timestamp.before.max.ms', '9223372036854775807', 'long', 'log.message.timestamp.before.max.ms'],
  ['message.timestamp.type', 'CreateTime', 'string', 'log.message.timestamp.type'],
  ['min.cleanable.dirty.ratio', '0.5', 'double', 'log.cleaner.min.cleanable.ratio'],
  ['min.compaction.lag.ms', '0', 'long', 'log.cleaner.min.compaction.lag.ms'],
  ['min.insync.replicas', '1', 'int', 'min.insync.replicas'],
  ['preallocate', 'false', 'boolean', 'log.preallocate'],
  ['remote.copy.lag.bytes', '-1', 'long', 'log.remote.copy.lag.bytes'],
  ['remote.copy.lag.ms', '0', 'long', 'log.remote.copy.lag.ms'],
  ['remote.log.copy.disable', 'false', 'boolean'],
  ['remote.log.delete.on.disable', 'false', 'boolean'],
  ['remote.storage.enable', 'false', 'boolean'],
  ['retention.bytes', '-1', 'long', 'log.retention.bytes'],
  ['retention.ms', '604800000', 'long'],
  ['segment.bytes', '1073741824', 'int', 'log.segment.bytes'],
  ['segment.index.bytes', '10485760', 'int', 'log.index.size.max.bytes'],
  ['segment.jitter.ms', '0', 'long'],
  ['segment.ms', '604800000', 'long'],
  ['unclean.leader.election.enable', 'false', 'boolean', 'unclean.leader.election.enable'],
]

export const CONFIG_DEFINITIONS: readonly ConfigDefinition[] = ROWS.map(
  ([name, defaultValue, type, synonym]) => ({ name, defaultValue, type, synonym }),
)
const BY_NAME: ReadonlyMap<string, ConfigDefinition> = new Map(
  CONFIG_DEFINITIONS.map((definition) => [definition.name, definition]),
)

/** The configs of a topic: the values that were set, and the defaults of the others. */
export class TopicConfig {
  readonly #values: ReadonlyMap<string, string>

  /** Throws INVALID_CONFIG for a name that Kafka does not have, or an invalid value. */
  constructor(values: Iterable<readonly [string, string]> = []) {
    this.#values = new Map(values)
    for (const [name, value] of this.#values) checkConfigValue(definitionOf(name), value)
  }

  get overrides(): ReadonlyMap<string, string> {
    return this.#values
  }

  get(name: string): string {
    return this.#values.get(name) ?? definitionOf(name).defaultValue
  }

  get maxMessageBytes(): number {
    return Number(this.get('max.message.bytes'))
  }

  get minInsyncReplicas(): number {
    return Number(this.get('min.insync.replicas'))
  }

  get isCompacted(): boolean {
    return this.#cleanupPolicies.includes('compact')
  }

  get deletesRecords(): boolean {
    return this.#cleanupPolicies.includes('delete')
  }

  get timestampType(): 'CreateTime' | 'LogAppendTime' {
    return this.get('message.timestamp.type') === 'LogAppendTime' ? 'LogAppendTime' : 'CreateTime'
  }

  get timestampBeforeMaxMs(): number {
    return Number(this.get('message.timestamp.before.max.ms'))
  }

  get timestampAfterMaxMs(): number {
    return Number(this.get('message.timestamp.after.max.ms'))
  }

  get compression(): Compression | 'producer' {
    const name = this.get('compression.type')
    switch (name) {
      case 'gzip':
      case 'snappy':
      case 'lz4':
      case 'zstd':
        return name
      case 'uncompressed':
        return 'none'
      default:
        return 'producer'
    }
  }

  get retentionBytes(): number {
    return Number(this.get('retention.bytes'))
  }

  get retentionMs(): number {
    return Number(this.get('retention.ms'))
  }

  get #cleanupPolicies(): readonly string[] {
    return this.get('cleanup.policy').split(',')
  }
}

/** Throws INVALID_CONFIG. */
export function definitionOf(name: string): ConfigDefinition {
  const definition = BY_NAME.get(name)
  if (definition === undefined) {
    throw new Refused('INVALID_CONFIG', `Unknown topic config name: ${name}`)
  }
  return definition
}
