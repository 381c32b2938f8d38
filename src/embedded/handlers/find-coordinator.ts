import { findCoordinator } from '../../../protocol/apis/find-coordinator.ts'
import { Refused, outcomeOf } from '../refused.ts'
import { authorize, authorizeCluster } from '../api/access.ts'
import { endpointOf, type RequestContext } from '../api/context.ts'
import { handler } from '../api/handler.ts'

/** Kafka's numbers of the types of keys that have coordinators. */
const GROUP = 0
const TRANSACTION = 1
const SHARE = 2
const WITH_MANY_KEYS = 4
/** `group:topic id:partition`. */
const SHARE_KEY = /^.+:[\w-]{22}:\d+$/
const NO_SUCH_TYPE =
  'This most likely occurs because of a request being malformed by the client library or the message was sent to an incompatible broker. See the broker logs for more details.'

export const findCoordinatorHandler = handler(findCoordinator, {
  handle: (request, context) => {
    if (context.version < WITH_MANY_KEYS) {
      const { errorCode, errorMessage, nodeId, host, port } = find(
        request.key,
        request.keyType,
        context,
      )
      // The only response in which Kafka sends a message for NONE.
      return {
        errorCode,
        errorMessage: errorCode === 0 ? 'NONE' : errorMessage,
        nodeId,
        host,
        port,
      }
    }
    return {
      coordinators: request.coordinatorKeys.map((key) => find(key, request.keyType, context)),
    }
  },
  refuse: (errorCode, { coordinatorKeys }, { version }) =>
    version < WITH_MANY_KEYS
      ? { errorCode, ...NOWHERE }
      : { coordinators: coordinatorKeys.map((key) => ({ key, errorCode, ...NOWHERE })) },
})

const NOWHERE = { nodeId: -1, host: '', port: -1, errorMessage: null } as const

function find(key: string, keyType: number, context: RequestContext) {
  const outcome = outcomeOf(() => coordinatorOf(key, keyType, context))
  if (outcome.refused !== undefined) {
    const { errorCode, detail } = outcome.refused
    return { ...NOWHERE, key, errorCode, errorMessage: detail }
  }
  const broker = outcome.value
  const endpoint = endpointOf(context, broker)
  return { key, errorCode: 0, errorMessage: '', nodeId: broker.id, ...endpoint }
}

/** Throws Refused. */
function coordinatorOf(key: string, keyType: number, context: RequestContext) {
  const { groups, cluster } = context
  switch (keyType) {
    case GROUP:
    case TRANSACTION: {
      authorize(context, 'describe', keyType === GROUP ? 'group' : 'transactionalId', key, '')
      const id = groups.coordinatorOf(key)
      const broker = id === undefined ? undefined : cluster.brokers.find(id)
      if (broker === undefined) throw new Refused('COORDINATOR_NOT_AVAILABLE')
      return broker
    }
    case SHARE:
      authorizeCluster(context, 'clusterAction', '')
      throw new Refused(SHARE_KEY.test(key) ? 'COORDINATOR_NOT_AVAILABLE' : 'INVALID_REQUEST', '')
    default:
      throw new Refused('INVALID_REQUEST', NO_SUCH_TYPE)
  }
}
