/** The levels of the cluster's features (KIP-584), in releases without ZooKeeper. */
import { Refused } from '../refused.ts'

export interface Feature {
  readonly name: string
  readonly minVersion: number
  readonly maxVersion: number
}

/** The lowest metadata.version that 4.x still reads. */
const LOWEST_METADATA_LEVEL = 7
/**
 * The level of transaction.version from which each end of a transaction bumps the epoch (KIP-890).
 */
const TRANSACTION_LEVEL = 2
const TRANSACTION_VERSION = 'transaction.version'
/** Other features, which a new cluster has at their highest level. */
const OTHERS: readonly Feature[] = [{ name: 'group.version', minVersion: 0, maxVersion: 1 }]

/** Kafka's numbers of how a level may change. */
const UPGRADE = 1
const SAFE_DOWNGRADE = 2
const UNSAFE_DOWNGRADE = 3

export interface FeatureUpdate {
  readonly feature: string
  readonly maxVersionLevel: number
  readonly upgradeType: number
}

export class Features {
  readonly supported: readonly Feature[]
  readonly #levels: Map<string, number>
  #epoch = 1n

  /** `metadataLevel` is undefined if a release has no features. */
  constructor(metadataLevel: number | undefined, transactionLevel: number) {
    this.supported =
      metadataLevel === undefined
        ? []
        : [
            {
              name: 'metadata.version',
              minVersion: LOWEST_METADATA_LEVEL,
              maxVersion: metadataLevel,
            },
            { name: TRANSACTION_VERSION, minVersion: 0, maxVersion: TRANSACTION_LEVEL },
            ...OTHERS,
          ]
    this.#levels = new Map(this.supported.map(({ name, maxVersion }) => [name, maxVersion]))
    if (!this.#levels.has(TRANSACTION_VERSION)) return
    // Level 0 of a feature is not in the list of those that are finalized.
    if (transactionLevel === 0) this.#levels.delete(TRANSACTION_VERSION)
    else this.#levels.set(TRANSACTION_VERSION, transactionLevel)
  }

  /** The enabled features. */
  get finalized(): readonly { readonly name: string; readonly level: number }[] {
    return [...this.#levels].map(([name, level]) => ({ name, level }))
  }

  /** The level of a feature; 0 if it is not enabled. */
  level(name: string): number {
    return this.#levels.get(name) ?? 0
  }

  get epoch(): bigint {
    return this.#epoch
  }

  /** Updates all of them, or none if one has an error. Throws Refused. */
  update(updates: readonly FeatureUpdate[], validateOnly: boolean): void {
    for (const update of updates) this.#check(update)
    if (validateOnly) return
    for (const { feature, maxVersionLevel } of updates) {
      if (maxVersionLevel === 0) this.#levels.delete(feature)
      else this.#levels.set(feature, maxVersionLevel)
    }
    if (updates.length > 0) this.#epoch++
  }

  #check({ feature, maxVersionLevel: level, upgradeType }: FeatureUpdate): void {
    const refused = (detail: string) =>
      new Refused(
        'INVALID_UPDATE_VERSION',
        `The update failed for all features since the following feature had an error: Invalid update version ${level} for feature ${feature}. ${detail}`,
      )
    if (![UPGRADE, SAFE_DOWNGRADE, UNSAFE_DOWNGRADE].includes(upgradeType)) {
      throw refused('The controller does not support the given upgrade type.')
    }
    const known = this.supported.find(({ name }) => name === feature)
    if (known === undefined) throw refused('Controller does not support this feature.')
    if (level < known.minVersion || level > known.maxVersion) {
      throw refused(`Controller only supports versions ${known.minVersion}-${known.maxVersion}`)
    }
    const current = this.#levels.get(feature) ?? 0
    if (level < current && upgradeType === UPGRADE) {
      throw refused(
        "Can't downgrade the version of this feature without setting the upgrade type to either safe or unsafe downgrade.",
      )
    }
    if (level > current && upgradeType !== UPGRADE) {
      throw refused("Can't downgrade to a newer version.")
    }
  }
}
