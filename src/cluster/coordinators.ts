import {
  findCoordinator,
  type FindCoordinatorResponse,
} from '../../protocol/apis/find-coordinator.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { Deadline } from '../async/deadline.ts'
import { BrokerError, isUnreachable, UnsupportedVersionError } from '../errors.ts'
import type { Broker } from '../network/broker.ts'
import type { Cluster } from './cluster.ts'
import type { Recipient } from './recipient.ts'

/** What is coordinated: a group, a transactional id, or the state of a share group's partition (KIP-932). */
export type CoordinatorKind = 'group' | 'transaction' | 'share'

const KEY_TYPES: Readonly<Record<CoordinatorKind, number>> = { group: 0, transaction: 1, share: 2 }

/** From this version on, of Kafka 0.11, there are coordinators of transactions. */
const WITH_KEY_TYPES = 1
/** From this version on a request names its keys in a list. */
const MANY_KEYS = 4

/** Which broker coordinates a group or transactional id: looked up once, until it turns out to be wrong. */
export class Coordinators {
  readonly #cluster: Cluster
  readonly #known = new Map<string, Broker>()

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  /**
   * The coordinator, looked up if need be: until it is there, since a new cluster's first answer is that it
   * is not available yet. Throws BrokerError, NoBrokersAvailableError.
   */
  async of(kind: CoordinatorKind, key: string, deadline: Deadline): Promise<Broker> {
    const known = this.#known.get(`${kind}/${key}`)
    // A broker that has left the cluster, or moved, is not asked again.
    if (known !== undefined && this.#cluster.brokers.get(known.nodeId) === known) return known
    const what = `finding the coordinator of ${kind} '${key}'`
    const broker = await this.#cluster.router.ask({ to: 'any', what, deadline }, (recipient) =>
      this.#find(recipient, kind, key, what),
    )
    this.#known.set(`${kind}/${key}`, broker)
    return broker
  }

  /** The next one who asks looks it up. */
  forget(kind: CoordinatorKind, key: string): void {
    this.#known.delete(`${kind}/${key}`)
  }

  /** Where the error is a broker's word that it does not coordinate this, or that it cannot be reached. */
  forgetIfMoved(kind: CoordinatorKind, key: string, error: unknown): void {
    if (isUnreachable(error) || isElsewhere(error)) this.forget(kind, key)
  }

  async #find(
    recipient: Recipient,
    kind: CoordinatorKind,
    key: string,
    what: string,
  ): Promise<Broker> {
    const keyType = KEY_TYPES[kind]
    const response = await recipient.request(findCoordinator, (version) => {
      if (kind === 'transaction' && version < WITH_KEY_TYPES) {
        const broker = recipient.name
        throw new UnsupportedVersionError(
          `${broker ?? 'the broker'} has no transactions: they need Kafka 0.11 or newer`,
          { broker },
        )
      }
      return {
        ...(version >= MANY_KEYS ? { coordinatorKeys: [key] } : { key }),
        ...(keyType === 0 ? {} : { keyType }),
      }
    })
    const { errorCode, errorMessage, nodeId, host, port } = firstOf(response)
    if (errorCode !== ErrorCode.NONE) {
      throw new BrokerError(errorCode, what, {}, errorMessage)
    }
    return this.#cluster.learnBroker(nodeId, { host, port })
  }
}

function firstOf(response: FindCoordinatorResponse) {
  return response.coordinators[0] ?? response
}

function isElsewhere(error: unknown): boolean {
  if (!(error instanceof BrokerError)) return false
  const { errorCode } = error
  return (
    errorCode === ErrorCode.NOT_COORDINATOR || errorCode === ErrorCode.COORDINATOR_NOT_AVAILABLE
  )
}
