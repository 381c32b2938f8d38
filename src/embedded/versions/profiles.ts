import type { ErrorName } from '../../../protocol/errors.ts'
import { apiTable, type KafkaVersion, type SupportedVersions } from './api-tables.ts'

/** The differences of a version of Kafka that clients can see. */
export interface KafkaProfile {
  readonly version: KafkaVersion
  readonly apis: ReadonlyMap<number, SupportedVersions>
  /** Whether the rejection of an ApiVersions request that is too new contains the supported range (KIP-511). */
  readonly refusalNamesApiVersions: boolean
  /** Whether the broker never answers unknown requests; it still answers later ones on the connection. */
  readonly ignoresUnknownRequests: boolean
  /** The error in Metadata for a topic whose creation has just started. */
  readonly autoCreateError: ErrorName
  /**
   * Whether a cluster-wide min.insync.replicas is stored, as eligible leader replicas require
   * (KIP-966).
   */
  readonly storesMinInsyncReplicas: boolean
  /** The default of group.max.session.timeout.ms. */
  readonly maxSessionTimeoutMs: number
  /** Whether an empty group is removed with its last offset, as before the new coordinator (KIP-848). */
  readonly forgetsGroupsWithoutOffsets: boolean
  /**
   * How long a partition remembers a producer after its last batch: producer.id.expiration.ms, or
   * transactional.id.expiration.ms before Kafka 3.4 (KIP-854).
   */
  readonly producerIdExpirationMs: number
  /** The level of metadata.version, in clusters without ZooKeeper. */
  readonly metadataLevel: number | undefined
}

const DAY_MS = 24 * 3_600_000

const VERSIONS: readonly KafkaVersion[] = [
  '0.8.2',
  '0.9',
  '0.10',
  '0.11',
  '1.1',
  '2.8',
  '3.9',
  '4.4',
]

/** The metadata.version that a KRaft cluster of this release has (KIP-584). */
const METADATA_LEVELS: Partial<Record<KafkaVersion, number>> = { '4.4': 33 }

/** The versions of Kafka that an embedded cluster can present, oldest first. */
export const KAFKA_VERSIONS: readonly KafkaVersion[] = VERSIONS

/** Kafka 4 has no ZooKeeper (KIP-500). */
export const LAST_WITH_ZOOKEEPER: KafkaVersion = '3.9'

export function isAtLeast(version: KafkaVersion, least: KafkaVersion): boolean {
  return VERSIONS.indexOf(version) >= VERSIONS.indexOf(least)
}

export function profileOf(version: KafkaVersion): KafkaProfile {
  const isSince28 = isAtLeast(version, '2.8')
  const hasZooKeeper = isAtLeast(LAST_WITH_ZOOKEEPER, version)
  return {
    version,
    apis: apiTable(version),
    refusalNamesApiVersions: isSince28,
    ignoresUnknownRequests: version === '0.9',
    autoCreateError: hasZooKeeper ? 'LEADER_NOT_AVAILABLE' : 'UNKNOWN_TOPIC_OR_PARTITION',
    storesMinInsyncReplicas: isAtLeast(version, '4.4'),
    maxSessionTimeoutMs: maxSessionTimeoutOf(version),
    forgetsGroupsWithoutOffsets: !isAtLeast(version, '4.4'),
    producerIdExpirationMs: (isAtLeast(version, '3.9') ? 1 : 7) * DAY_MS,
    metadataLevel: METADATA_LEVELS[version],
  }
}

function maxSessionTimeoutOf(version: KafkaVersion): number {
  if (isAtLeast(version, '2.8')) return 1_800_000
  return isAtLeast(version, '0.10') ? 300_000 : 30_000
}
