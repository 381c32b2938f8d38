import { apiVersions } from '../../../protocol/apis/api-versions.ts'
import { ErrorCode } from '../../../protocol/errors.ts'
import type { RequestContext } from '../api/context.ts'
import { handler } from '../api/handler.ts'

const WITH_SOFTWARE_NAME = 3
const WITH_FEATURES = 3
const WITH_CLUSTER_ID = 5
const SOFTWARE_NAME = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/

/** The versions that the presented Kafka has and the cluster has handlers for. */
export type AdvertisedApis = readonly {
  readonly apiKey: number
  readonly minVersion: number
  readonly maxVersion: number
}[]

export function apiVersionsHandler(advertised: (context: RequestContext) => AdvertisedApis) {
  return handler(apiVersions, {
    handle: (request, context) => {
      const { version, cluster, broker } = context
      const { clientSoftwareName, clientSoftwareVersion, clusterId, nodeId } = request
      if (
        version >= WITH_SOFTWARE_NAME &&
        !(SOFTWARE_NAME.test(clientSoftwareName) && SOFTWARE_NAME.test(clientSoftwareVersion))
      ) {
        return { errorCode: ErrorCode.INVALID_REQUEST, apiKeys: [] }
      }
      // A client that expects another cluster or node at this address must bootstrap again
      // (KIP-1242).
      const isElsewhere =
        version >= WITH_CLUSTER_ID &&
        ((clusterId !== null && clusterId !== cluster.clusterId) ||
          (nodeId >= 0 && nodeId !== broker.id))
      if (isElsewhere) return { errorCode: ErrorCode.REBOOTSTRAP_REQUIRED, apiKeys: [] }
      return { errorCode: 0, apiKeys: advertised(context), ...featuresOf(context) }
    },
    refuse: (errorCode) => ({ errorCode, apiKeys: [] }),
  })
}

function featuresOf({ cluster, version }: RequestContext) {
  const { supported, finalized, epoch } = cluster.features
  if (version < WITH_FEATURES) return {}
  if (supported.length === 0) return { finalizedFeaturesEpoch: 0n }
  return {
    supportedFeatures: supported,
    finalizedFeaturesEpoch: epoch,
    finalizedFeatures: finalized.map(({ name, level }) => ({
      name,
      minVersionLevel: level,
      maxVersionLevel: level,
    })),
  }
}
