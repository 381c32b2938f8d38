/** The controllers' requests: levels of features (KIP-584), and the quorum (KIP-595). */
import { describeQuorum } from '../../../protocol/apis/describe-quorum.ts'
import { updateFeatures } from '../../../protocol/apis/update-features.ts'
import { ErrorCode } from '../../../protocol/errors.ts'
import { ZERO_UUID } from '../../../protocol/schema/fields.ts'
import { endpointOf } from '../api/context.ts'
import { handler } from '../api/handler.ts'
import { forCluster } from './for-cluster.ts'
import { outcomeOf } from '../refused.ts'

/** From this version on, one error applies to all features. */
const ALL_OR_NOTHING = 2
const WITH_UPGRADE_TYPE = 1
const UPGRADE = 1
const SAFE_DOWNGRADE = 2
const METADATA_TOPIC = '__cluster_metadata'
const QUORUM_WITH_NODES = 2

export const updateFeaturesHandler = handler(
  updateFeatures,
  forCluster('alter', {
    handle: ({ featureUpdates, validateOnly }, { cluster, version }) => {
      const { refused } = outcomeOf(() => {
        const updates = featureUpdates.map(({ feature, maxVersionLevel, ...update }) => ({
          feature,
          maxVersionLevel,
          upgradeType:
            version >= WITH_UPGRADE_TYPE
              ? update.upgradeType
              : update.allowDowngrade
                ? SAFE_DOWNGRADE
                : UPGRADE,
        }))
        cluster.features.update(updates, version >= WITH_UPGRADE_TYPE && validateOnly)
      })
      const error = { errorCode: refused?.errorCode ?? 0, errorMessage: refused?.detail ?? null }
      return {
        throttleTimeMs: 0,
        ...error,
        results:
          version >= ALL_OR_NOTHING || refused !== undefined
            ? []
            : // A real controller sends the name of NONE as the message.
              featureUpdates.map(({ feature }) => ({
                feature,
                errorCode: 0,
                errorMessage: 'NONE',
              })),
      }
    },
    refuse: (errorCode) => ({ throttleTimeMs: 0, errorCode, errorMessage: null, results: [] }),
  }),
)

/** Every broker is a voter, as with `process.roles=broker,controller`; the active controller leads. */
export const describeQuorumHandler = handler(
  describeQuorum,
  forCluster('describe', {
    handle: ({ topics }, context) => {
      const { cluster, version } = context
      const leaderId = cluster.brokers.controllerId
      const now = BigInt(cluster.nowMs())
      return {
        errorCode: 0,
        topics: topics.map(({ topicName, partitions }) => ({
          topicName,
          partitions: partitions.map(({ partitionIndex }) => {
            if (topicName !== METADATA_TOPIC || partitionIndex !== 0) {
              const errorCode = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
              return { ...NO_QUORUM, partitionIndex, errorCode }
            }
            return {
              partitionIndex,
              errorCode: 0,
              leaderId,
              leaderEpoch: 1,
              highWatermark: cluster.features.epoch,
              currentVoters: cluster.brokers.all.map(({ id, isAlive }) => ({
                replicaId: id,
                ...(version >= QUORUM_WITH_NODES ? { replicaDirectoryId: ZERO_UUID } : {}),
                logEndOffset: cluster.features.epoch,
                lastFetchTimestamp: isAlive ? now : -1n,
                lastCaughtUpTimestamp: isAlive ? now : -1n,
              })),
              observers: [],
            }
          }),
        })),
        ...(version >= QUORUM_WITH_NODES
          ? {
              nodes: cluster.brokers.all.map((broker) => ({
                nodeId: broker.id,
                listeners: [{ name: 'CONTROLLER', ...endpointOf(context, broker) }],
              })),
            }
          : {}),
      }
    },
    refuse: (errorCode) => ({ errorCode, topics: [] }),
  }),
)

const NO_QUORUM = {
  leaderId: -1,
  leaderEpoch: -1,
  highWatermark: -1n,
  currentVoters: [],
  observers: [],
} as const
