/**
 * The versions that a broker supports, which the client requests first on every connection (KIP-35, KIP-511).
 *
 * Brokers before 0.10 do not have this API: they get a fixed table, the versions that 0.8.2 and 0.9 share (session.ts
 * detects them). Brokers from 0.10 to 2.3 reject a version of the request that is too new with an empty list, newer
 * ones with the versions that they support.
 */
import { releaseWith } from './api-releases.ts'
import { apiVersions } from '../../protocol/apis/api-versions.ts'
import { metadata } from '../../protocol/apis/metadata.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { Api } from '../../protocol/schema/api.ts'
import { BrokerError, UnsupportedVersionError, WrongClusterError } from '../errors.ts'
import { VERSION } from '../version.ts'
import type { Connection } from './connection.ts'

interface Supported {
  readonly min: number
  readonly max: number
}

/** Produce, Fetch, ListOffsets, Metadata, then offsets and (0.9) groups. */
const OLDEST: readonly (readonly [key: number, max: number])[] = [
  [0, 0],
  [1, 0],
  [2, 0],
  [3, 0],
  [8, 1],
  [9, 1],
  [10, 0],
  [11, 0],
  [12, 0],
  [13, 0],
  [14, 0],
  [15, 0],
  [16, 0],
]

export class BrokerVersions {
  readonly #supported: ReadonlyMap<number, Supported>
  readonly #features: ReadonlyMap<string, number>
  readonly address: string

  constructor(
    address: string,
    supported: ReadonlyMap<number, Supported>,
    features: ReadonlyMap<string, number> = new Map(),
  ) {
    this.address = address
    this.#supported = supported
    this.#features = features
  }

  /** The versions that brokers before 0.10 are assumed to support. */
  static oldest(address: string): BrokerVersions {
    return new BrokerVersions(address, new Map(OLDEST.map(([key, max]) => [key, { min: 0, max }])))
  }

  /**
   * The level of a feature that the cluster has finalized, such as `transaction.version` (KIP-584); 0 without it, as
   * before Kafka 4.0. A cluster in the middle of an upgrade supports the versions of an API before it has the feature.
   */
  featureLevel(name: string): number {
    return this.#features.get(name) ?? 0
  }

  has(api: Api): boolean {
    return this.#best(api, Infinity) !== undefined
  }

  /**
   * The highest version that both sides support, `ceiling` at most. Throws UnsupportedVersionError if there is none.
   */
  pick(api: Api, ceiling = Infinity): number {
    const version = this.#best(api, ceiling)
    if (version !== undefined) return version
    const theirs = this.#supported.get(api.key)
    const reason =
      theirs === undefined
        ? `has no such API, which Kafka has from ${releaseWith(api.key) ?? 'its newest release'} on`
        : `knows versions ${theirs.min} to ${theirs.max}, samsa ${api.versions.min} to ${Math.min(ceiling, api.versions.max)}`
    throw new UnsupportedVersionError(`${api.name}: ${this.address} ${reason}`, {
      broker: this.address,
    })
  }

  #best(api: Api, ceiling: number): number | undefined {
    const theirs = this.#supported.get(api.key)
    if (theirs === undefined) return undefined
    const version = Math.min(theirs.max, api.versions.max, ceiling)
    return version < Math.max(theirs.min, api.versions.min) ? undefined : version
  }
}

/** The broker that a connection is for, as far as the client knows it (KIP-1242). */
export interface BrokerIdentity {
  readonly clusterId: string | undefined
  /** −1 for a bootstrap address. */
  readonly nodeId: number
}

/** From this version on a broker compares the request's cluster id and node id with its own (KIP-1242). */
const COMPARES_IDENTITY = 5

/** Whether `askVersions` finds out if the broker is the one that the identity names. */
export function comparesIdentity(versions: BrokerVersions, { clusterId }: BrokerIdentity): boolean {
  if (clusterId === undefined || !versions.has(apiVersions)) return false
  return versions.pick(apiVersions) >= COMPARES_IDENTITY
}

export interface AskedVersions {
  readonly versions: BrokerVersions
  /** Whether the broker has compared the identity with its own. */
  readonly isIdentified: boolean
}

/**
 * Requests the versions of a broker of 0.10 or newer, starting with `firstVersion`. Throws WrongClusterError if the
 * broker is not the one that the identity names.
 */
export async function askVersions(
  connection: Connection,
  identity: BrokerIdentity,
  timeoutMs: number,
  firstVersion = apiVersions.versions.max,
): Promise<AskedVersions> {
  let version = firstVersion
  const { clusterId, nodeId } = identity
  // KIP-1242 requires both or neither.
  const isKnown = clusterId !== undefined && nodeId >= 0
  for (;;) {
    const response = await connection.requestNow(
      apiVersions,
      version,
      {
        clientSoftwareName: 'samsa',
        clientSoftwareVersion: VERSION,
        ...(isKnown ? { clusterId, nodeId } : {}),
      },
      timeoutMs,
    )
    const supported = new Map(
      response.apiKeys.map(({ apiKey, minVersion, maxVersion }) => [
        apiKey,
        { min: minVersion, max: maxVersion },
      ]),
    )
    if (response.errorCode === ErrorCode.NONE) {
      const features = new Map(
        response.finalizedFeatures.map(({ name, maxVersionLevel }) => [name, maxVersionLevel]),
      )
      return {
        versions: new BrokerVersions(connection.address, supported, features),
        isIdentified: isKnown && version >= COMPARES_IDENTITY,
      }
    }
    if (response.errorCode === ErrorCode.REBOOTSTRAP_REQUIRED && isKnown) {
      throw new WrongClusterError(connection.address, undefined, clusterId)
    }
    const known = supported.get(apiVersions.key)?.max ?? 0
    const isOlder = known >= 0 && known < version
    if (response.errorCode !== ErrorCode.UNSUPPORTED_VERSION || !isOlder) {
      throw new BrokerError(response.errorCode, 'ApiVersions', { broker: connection.address })
    }
    version = known
  }
}

/** From this version on Metadata contains the cluster id, and an empty list of topics means no topic. */
const METADATA_WITH_CLUSTER_ID = 2

/**
 * Compares the cluster id of brokers before KIP-1242 (Kafka 4.4), which do not compare it themselves. Brokers before
 * 0.10.1 do not report theirs. Throws WrongClusterError.
 */
export async function confirmCluster(
  connection: Connection,
  versions: BrokerVersions,
  clusterId: string,
  timeoutMs: number,
): Promise<void> {
  if (!versions.has(metadata)) return
  const version = versions.pick(metadata)
  if (version < METADATA_WITH_CLUSTER_ID) return
  const response = await connection.request(metadata, version, { topics: [] }, timeoutMs)
  const { clusterId: found } = response
  if (found === null || found === clusterId) return
  throw new WrongClusterError(connection.address, found, clusterId)
}
