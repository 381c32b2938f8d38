/**
 * What a broker speaks, asked for first on every connection (KIP-35, KIP-511).
 *
 * Brokers before 0.10 know nothing of the question and close the connection: they get a fixed table, the
 * versions that 0.8.2 and 0.9 share. 0.10 to 2.3 refuse a version of the question that is too new with an
 * empty list, newer ones with the versions they know.
 */
import { apiVersions } from '../../protocol/apis/api-versions.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { Api } from '../../protocol/schema/api.ts'
import { BrokerError, UnsupportedVersionError } from '../errors.ts'
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
  readonly address: string

  constructor(address: string, supported: ReadonlyMap<number, Supported>) {
    this.address = address
    this.#supported = supported
  }

  /** What brokers before 0.10 are taken to speak. */
  static oldest(address: string): BrokerVersions {
    return new BrokerVersions(address, new Map(OLDEST.map(([key, max]) => [key, { min: 0, max }])))
  }

  has(api: Api): boolean {
    return this.#best(api, Infinity) !== undefined
  }

  /** The highest version that both know, `ceiling` at most. Throws UnsupportedVersionError if there is none. */
  pick(api: Api, ceiling = Infinity): number {
    const version = this.#best(api, ceiling)
    if (version !== undefined) return version
    const theirs = this.#supported.get(api.key)
    const reason =
      theirs === undefined
        ? 'has no such API'
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

/** Asks a broker of 0.10 or newer. */
export async function askVersions(
  connection: Connection,
  timeoutMs: number,
): Promise<BrokerVersions> {
  let version = apiVersions.versions.max
  for (;;) {
    const response = await connection.request(
      apiVersions,
      version,
      { clientSoftwareName: 'samsa', clientSoftwareVersion: VERSION },
      timeoutMs,
    )
    const supported = new Map(
      response.apiKeys.map(({ apiKey, minVersion, maxVersion }) => [
        apiKey,
        { min: minVersion, max: maxVersion },
      ]),
    )
    if (response.errorCode === ErrorCode.NONE)
      return new BrokerVersions(connection.address, supported)
    const known = supported.get(apiVersions.key)?.max ?? 0
    if (response.errorCode !== ErrorCode.UNSUPPORTED_VERSION || known >= version) {
      throw new BrokerError(response.errorCode, 'ApiVersions', { broker: connection.address })
    }
    version = known
  }
}
