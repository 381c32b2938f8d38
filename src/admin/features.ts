/** The features of a cluster and their levels (KIP-584). */
import { updateFeatures } from '../../protocol/apis/update-features.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import { requiresKafka } from '../errors.ts'
import { checkTable, type OptionTable } from '../option-table.ts'
import {
  aBoolean,
  aKeyOf,
  anArrayOf,
  anInteger,
  anObject,
  aString,
  checkValue,
} from '../options.ts'
import {
  CHANGE_OPTIONS,
  begin,
  brokerTimeoutMs,
  type AdminContext,
  type ChangeOptions,
} from './context.ts'
import { checkDistinct, itemError, outcomeOf, retryElsewhere, settled, type Item } from './items.ts'

/**
 * `upgrade`: the level can only increase. `safeDowngrade`: it can decrease if no metadata is lost.
 * `unsafeDowngrade`: it can decrease, and metadata that the lower level cannot represent is lost
 * (Kafka 3.3 or newer).
 */
export type FeatureUpgradeType = 'upgrade' | 'safeDowngrade' | 'unsafeDowngrade'

/** A feature that `updateFeatures` is to change. */
export interface FeatureUpdate {
  /** The name of the feature, such as `metadata.version`. */
  readonly feature: string
  /** The level to set; 0 disables the feature. */
  readonly version: number
  /** Whether the level may be lowered. Default: `upgrade`. */
  readonly upgradeType?: FeatureUpgradeType
}

const UPGRADE_TYPES = { upgrade: 1, safeDowngrade: 2, unsafeDowngrade: 3 } as const

/** The checks and defaults of `FeatureUpdate`. */
export const FEATURE_UPDATE = {
  feature: { check: aString, required: true },
  version: { check: anInteger(0, 32_767), required: true },
  upgradeType: { check: aKeyOf(UPGRADE_TYPES), default: 'upgrade' },
} as const satisfies OptionTable<FeatureUpdate>

/** The options of `updateFeatures`. */
export interface UpdateFeaturesOptions extends ChangeOptions {
  /**
   * Checks whether the levels can be set, without setting them (Kafka 3.3 or newer). Default:
   * false.
   */
  readonly validateOnly?: boolean
}

/** The checks and defaults of `UpdateFeaturesOptions`. */
export const UPDATE_FEATURES_OPTIONS = {
  ...CHANGE_OPTIONS,
  validateOnly: { check: aBoolean, default: false },
} as const satisfies OptionTable<UpdateFeaturesOptions>

/** The result of `updateFeatures` for one feature. */
export interface FeatureResult extends Item {
  /** The name of the feature. */
  readonly feature: string
}

/** The first version with an upgrade type and a dry run. */
const WITH_UPGRADE_TYPE = 1
/**
 * From this version on a response has one error for all features: either all are updated or none
 * (KIP-1022).
 */
const ALL_OR_NOTHING = 2

export function featureOperations(context: AdminContext) {
  const { cluster } = context
  return {
    /**
     * Sets the levels of features (Kafka 2.7 or newer), in the given order; from Kafka 4.0 on it
     * sets all or none. Throws ItemsFailedError.
     */
    async updateFeatures(
      updates: readonly FeatureUpdate[],
      options: UpdateFeaturesOptions = {},
    ): Promise<readonly FeatureResult[]> {
      const operation = 'updateFeatures'
      const settings = begin(context, operation, options, UPDATE_FEATURES_OPTIONS)
      const { deadline, settle, validateOnly } = settings
      checkUpdates(operation, updates)
      const byName = new Map(updates.map((update) => [update.feature, update]))
      const outcomes = await cluster.fanOut.run<string, undefined>({
        items: [...byName.keys()],
        to: () => 'controller',
        what: 'updating features',
        deadline,
        retry: retryElsewhere,
        ask: async (names, recipient) => {
          let version = 0
          const response = await recipient.request(updateFeatures, (negotiated) => {
            version = negotiated
            return {
              timeoutMs: brokerTimeoutMs(cluster, deadline),
              featureUpdates: names.map((name) => updateBody(byName.get(name)!, negotiated)),
              ...validateOnlyOf(validateOnly, negotiated),
            }
          })
          const { errorCode, errorMessage, results } = response
          const found = new Map(results.map((result) => [result.feature, result]))
          return names.map((name) => {
            const ofFeature = found.get(name)
            const isOfAll = version >= ALL_OR_NOTHING || errorCode !== ErrorCode.NONE
            const code = isOfAll ? errorCode : (ofFeature?.errorCode ?? ErrorCode.NONE)
            const detail = isOfAll ? errorMessage : (ofFeature?.errorMessage ?? null)
            const error = itemError(code, `updating feature '${name}'`, recipient.name, detail)
            return outcomeOf(name, error, undefined)
          })
        },
      })
      const results = outcomes.map(({ item: feature, error }) => ({
        feature,
        ...(error === undefined ? {} : { error }),
      }))
      return settled(operation, results, settle)
    },
  }
}

function updateBody(
  { feature, version: level, upgradeType = 'upgrade' }: FeatureUpdate,
  version: number,
) {
  if (version >= WITH_UPGRADE_TYPE) {
    return { feature, maxVersionLevel: level, upgradeType: UPGRADE_TYPES[upgradeType] }
  }
  if (upgradeType === 'unsafeDowngrade') {
    throw requiresKafka(`updating feature '${feature}': an unsafe downgrade`, '3.3')
  }
  return { feature, maxVersionLevel: level, allowDowngrade: upgradeType === 'safeDowngrade' }
}

/** Throws if a dry run would change the cluster. */
function validateOnlyOf(validateOnly: boolean, version: number) {
  if (version >= WITH_UPGRADE_TYPE) return { validateOnly }
  if (!validateOnly) return {}
  throw requiresKafka('updating features: a dry run', '3.3')
}

function checkUpdates(operation: string, updates: readonly FeatureUpdate[]): void {
  checkValue(`${operation}: the features`, updates, anArrayOf(anObject))
  checkDistinct(
    operation,
    'feature',
    updates.map(({ feature }) => feature),
  )
  for (const update of updates) {
    checkTable(`a feature of ${operation}`, update, FEATURE_UPDATE)
  }
}
