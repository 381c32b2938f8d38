import { describeCluster } from '../../../protocol/apis/describe-cluster.ts'
import { ErrorCode } from '../../../protocol/errors.ts'
import { authorizedClusterOperations, mayDoToCluster } from '../api/access.ts'
import { endpointOf } from '../api/context.ts'
import { handler } from '../api/handler.ts'

const ENDPOINT_BROKER = 1

export const describeClusterHandler = handler(describeCluster, {
  handle: (request, context) => {
    const { cluster, version } = context
    if (request.endpointType !== ENDPOINT_BROKER) {
      return {
        throttleTimeMs: 0,
        errorCode: ErrorCode.MISMATCHED_ENDPOINT_TYPE,
        errorMessage: 'The request was sent to an endpoint of the wrong type.',
        clusterId: '',
        brokers: [],
      }
    }
    const fenced = version >= 2 && request.includeFencedBrokers
    return {
      throttleTimeMs: 0,
      errorCode: 0,
      clusterId: cluster.clusterId,
      controllerId: cluster.brokers.controllerId,
      brokers: (fenced ? cluster.brokers.all : cluster.brokers.alive).map((broker) => ({
        brokerId: broker.id,
        ...endpointOf(context, broker),
        rack: broker.rack,
        ...(version >= 2 ? { isFenced: !broker.isAlive } : {}),
      })),
      ...(request.includeClusterAuthorizedOperations
        ? {
            clusterAuthorizedOperations: mayDoToCluster(context, 'describe')
              ? authorizedClusterOperations(context)
              : 0,
          }
        : {}),
    }
  },
  refuse: (errorCode) => ({ throttleTimeMs: 0, errorCode, clusterId: '', brokers: [] }),
})
