import { findCoordinator } from '../../../protocol/apis/find-coordinator.ts'
import { Refused, outcomeOf } from '../refused.ts'
import type { RequestContext } from '../server/context.ts'
import { handler } from '../server/handler.ts'

const GROUP = 0
const WITH_MANY_KEYS = 4

export const findCoordinatorHandler = handler(findCoordinator, {
  handle: (request, context) => {
    if (context.version < WITH_MANY_KEYS) {
      const { errorCode, errorMessage, nodeId, host, port } = find(
        request.key,
        request.keyType,
        context,
      )
      // The one place where Kafka says that there is no error in words.
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

function find(key: string, keyType: number, { groups, cluster }: RequestContext) {
  const outcome = outcomeOf(() => {
    // Transactions and share groups are still to come.
    if (keyType !== GROUP)
      throw new Refused('INVALID_REQUEST', 'Only groups have coordinators here')
    const id = groups.coordinatorOf(key)
    const broker = id === undefined ? undefined : cluster.brokers.find(id)
    if (broker === undefined) throw new Refused('COORDINATOR_NOT_AVAILABLE')
    return broker
  })
  if (outcome.refused !== undefined) {
    const { errorCode, detail } = outcome.refused
    return { ...NOWHERE, key, errorCode, errorMessage: detail }
  }
  const { id, host, port } = outcome.value
  return { key, errorCode: 0, errorMessage: '', nodeId: id, host, port }
}
