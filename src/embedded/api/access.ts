/** The permissions of the client that sent a request. */
import type { ErrorName } from '../../../protocol/errors.ts'
import {
  CLUSTER_NAME,
  OPERATION,
  OPERATIONS_OF,
  RESOURCE,
  type OperationName,
  type ResourceName,
  type Subject,
} from '../authorization/acl.ts'
import { Refused } from '../refused.ts'
import type { ClusterSecurity } from '../security/cluster-security.ts'
import type { Login } from '../security/login.ts'
import { ANONYMOUS } from '../security/principal.ts'

const ERRORS: Readonly<Record<ResourceName, ErrorName>> = {
  topic: 'TOPIC_AUTHORIZATION_FAILED',
  group: 'GROUP_AUTHORIZATION_FAILED',
  cluster: 'CLUSTER_AUTHORIZATION_FAILED',
  transactionalId: 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
  delegationToken: 'DELEGATION_TOKEN_AUTHORIZATION_FAILED',
  user: 'DELEGATION_TOKEN_AUTHORIZATION_FAILED',
}

/** The part of a request's context that identifies the client. */
export interface Asked {
  readonly security: ClusterSecurity
  readonly login: Login
  readonly clientHost: string
}

function subjectOf({ login, clientHost }: Asked): Subject {
  return { principal: login.principal ?? ANONYMOUS, host: clientHost.replace('/', '') }
}

export function mayDo(
  asked: Asked,
  operation: OperationName,
  resource: ResourceName,
  name: string,
): boolean {
  const { authorizer } = asked.security
  if (!authorizer.isEnabled) return true
  const wanted = { type: RESOURCE[resource], name }
  return authorizer.allows(subjectOf(asked), OPERATION[operation], wanted)
}

export function mayDoToCluster(asked: Asked, operation: OperationName): boolean {
  return mayDo(asked, operation, 'cluster', CLUSTER_NAME)
}

/** Whether the client may perform the operation on any resource of the type. */
export function mayDoToAny(
  asked: Asked,
  operation: OperationName,
  resource: ResourceName,
): boolean {
  const { authorizer } = asked.security
  return authorizer.allowsOnAny(subjectOf(asked), OPERATION[operation], RESOURCE[resource])
}

/** Throws Refused, with the error of the resource's type. */
export function authorize(
  asked: Asked,
  operation: OperationName,
  resource: ResourceName,
  name: string,
  detail: string | null = null,
): void {
  if (!mayDo(asked, operation, resource, name)) throw new Refused(ERRORS[resource], detail)
}

/** Throws CLUSTER_AUTHORIZATION_FAILED. */
export function authorizeCluster(asked: Asked, operation: OperationName, detail?: string): void {
  authorize(asked, operation, 'cluster', CLUSTER_NAME, detail)
}

/**
 * The operations that the client may perform on a resource, as bits by Kafka's numbers of the
 * operations (KIP-430).
 */
export function authorizedOperations(asked: Asked, resource: ResourceName, name: string): number {
  const { authorizer } = asked.security
  const wanted = { type: RESOURCE[resource], name }
  const subject = subjectOf(asked)
  const all = OPERATIONS_OF.get(wanted.type) ?? []
  return all
    .filter((operation) => authorizer.allows(subject, operation, wanted))
    .reduce((sum, operation) => sum | (1 << operation), 0)
}

export function authorizedClusterOperations(asked: Asked): number {
  return authorizedOperations(asked, 'cluster', CLUSTER_NAME)
}
