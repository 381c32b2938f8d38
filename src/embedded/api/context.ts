import type { ErrorName } from '../../../protocol/errors.ts'
import type { BrokerInfo } from '../cluster/brokers.ts'
import type { ClusterState } from '../cluster/cluster-state.ts'
import { NO_LEADER, type Partition } from '../cluster/partition.ts'
import type { Topic } from '../cluster/topics.ts'
import type { FetchSessions } from '../fetch/sessions.ts'
import type { ShareSessions } from '../fetch/share-sessions.ts'
import type { Groups } from '../groups/groups.ts'
import { Refused } from '../refused.ts'
import type { Transactions } from '../transactions/transactions.ts'
import type { OperationName } from '../authorization/acl.ts'
import type { ClusterSecurity } from '../security/cluster-security.ts'
import type { Login } from '../security/login.ts'
import { authorize } from './access.ts'

/** The state of one broker, in addition to the state that the cluster shares. */
export interface ServingBroker extends BrokerInfo {
  /** In the form of Kafka's `listeners`: `PLAINTEXT://127.0.0.1:9092`. */
  readonly listenerUris: readonly string[]
  readonly fetchSessions: FetchSessions
  readonly shareSessions: ShareSessions
}

/** A fault that responds with an error, for a topic, a partition or all of them. */
export interface InjectedError {
  readonly error: ErrorName
  readonly topic: string | undefined
  readonly partition: number | undefined
}

/** The throttle time of one response. If a quota sets it, the connection is throttled as well. */
export class RequestThrottle {
  readonly #setMs: number
  #quotaMs = 0

  constructor(setMs: number) {
    this.#setMs = setMs
  }

  get timeMs(): number {
    return Math.max(this.#setMs, this.#quotaMs)
  }

  get quotaMs(): number {
    return this.#quotaMs
  }

  byQuota(ms: number): void {
    this.#quotaMs = Math.max(this.#quotaMs, ms)
  }
}

/** The context of a request. */
export interface RequestContext {
  readonly cluster: ClusterState
  readonly groups: Groups
  readonly transactions: Transactions
  readonly broker: ServingBroker
  /** The name of the listener that the client is connected to. */
  readonly listener: string
  readonly version: number
  /** The size of the request as the broker received it. */
  readonly sizeBytes: number
  readonly clientId: string | null
  /** The client's address as Kafka prints it: `/127.0.0.1`. */
  readonly clientHost: string
  /** Authorization, quotas and logins. */
  readonly security: ClusterSecurity
  /** The principal of the client, and its login. */
  readonly login: Login
  /** Aborted when the client no longer waits for the response. */
  readonly signal: AbortSignal
  readonly injected: InjectedError | undefined
  /**
   * The throttle time of the client: the cluster's setting, or more if the client is over its
   * quota.
   */
  readonly throttle: RequestThrottle
}

/**
 * A topic by name or, if the request's version has ids, by id. Only clients that may perform the
 * operation learn whether a name exists. Throws Refused.
 */
export function topicOf(
  context: RequestContext,
  { name, id }: { readonly name: string; readonly id?: string | undefined },
  operation: OperationName,
): Topic {
  const { topics } = context.cluster
  if (id === undefined) {
    authorize(context, operation, 'topic', name)
    const topic = topics.byName(name)
    if (topic === undefined) throw new Refused('UNKNOWN_TOPIC_OR_PARTITION')
    return topic
  }
  const topic = topics.byId(id)
  if (topic === undefined) throw new Refused('UNKNOWN_TOPIC_ID')
  authorize(context, operation, 'topic', topic.name)
  return topic
}

/** A partition, with any leader. Throws Refused, also if a fault injects the error. */
export function partitionOf(
  { injected }: Pick<RequestContext, 'injected'>,
  topic: Topic,
  index: number,
): Partition {
  const partition = topic.partitions[index]
  if (partition === undefined) throw new Refused('UNKNOWN_TOPIC_OR_PARTITION')
  if (
    injected !== undefined &&
    (injected.topic ?? topic.name) === topic.name &&
    (injected.partition ?? index) === index
  ) {
    throw new Refused(injected.error)
  }
  return partition
}

/** A partition that this broker leads. Throws Refused. */
export function ledPartitionOf(context: RequestContext, topic: Topic, index: number): Partition {
  const partition = partitionOf(context, topic, index)
  checkLeader(context, partition)
  return partition
}

export function checkLeader({ broker }: RequestContext, partition: Partition): void {
  if (partition.isDeleted) throw new Refused('UNKNOWN_TOPIC_OR_PARTITION')
  if (partition.leader === broker.id) return
  throw new Refused(
    'NOT_LEADER_OR_FOLLOWER',
    `broker ${broker.id} does not lead ${partition.topic}-${partition.index}`,
  )
}

/**
 * Compares the client's leader epoch with the broker's, and reports the older one (KIP-320). Throws
 * Refused.
 */
export function checkLeaderEpoch({ leaderEpoch }: Partition, clientEpoch: number): void {
  if (clientEpoch === -1 || clientEpoch === leaderEpoch) return
  throw new Refused(clientEpoch < leaderEpoch ? 'FENCED_LEADER_EPOCH' : 'UNKNOWN_LEADER_EPOCH')
}

/**
 * The address at which a client connects to a broker: the listener with the same name as its own.
 */
export function endpointOf(
  { listener }: Pick<RequestContext, 'listener'>,
  broker: BrokerInfo,
): { readonly host: string; readonly port: number } {
  return { host: broker.host, port: broker.portOf(listener) ?? broker.port }
}

/** The current leader, which is sent with NOT_LEADER_OR_FOLLOWER (KIP-951). */
export function leaderHint(
  context: RequestContext,
  partition: Partition | undefined,
): { leaderId: number; leaderEpoch: number; endpoint: Endpoint | undefined } | undefined {
  if (partition === undefined || partition.leader === NO_LEADER) return undefined
  const broker = context.cluster.brokers.find(partition.leader)
  const endpoint = broker && {
    nodeId: broker.id,
    ...endpointOf(context, broker),
    rack: broker.rack,
  }
  return { leaderId: partition.leader, leaderEpoch: partition.leaderEpoch, endpoint }
}

export interface Endpoint {
  readonly nodeId: number
  readonly host: string
  readonly port: number
  readonly rack: string | null
}

/** Removes undefined and repeated endpoints. */
export function uniqueEndpoints(endpoints: readonly (Endpoint | undefined)[]): Endpoint[] {
  const byId = new Map<number, Endpoint>()
  for (const endpoint of endpoints) if (endpoint !== undefined) byId.set(endpoint.nodeId, endpoint)
  return [...byId.values()]
}
