import type { CoordinatorKind } from './target.ts'
import {
  findCoordinator,
  type FindCoordinatorResponse,
} from '../../protocol/apis/find-coordinator.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { Deadline } from '../async/deadline.ts'
import { eachOf } from '../async/each-of.ts'
import { BrokerError, isUnreachable, KafkaError, requiresKafka } from '../errors.ts'
import { Broker } from '../network/broker.ts'
import { LOOKUP_PATIENCE_MS, type BrokerPool } from './broker-pool.ts'
import { retrying } from './retry.ts'
import { recipientOf, type Recipient } from './recipient.ts'

const KEY_TYPES: Readonly<Record<CoordinatorKind, number>> = { group: 0, transaction: 1, share: 2 }

/** The first version with transaction coordinators (Kafka 0.11). */
const WITH_KEY_TYPES = 1
/** The first version with a list of keys. */
const MANY_KEYS = 4
/** How many keys are looked up at the same time if each needs a request of its own. */
const MAX_CONCURRENT = 32

/**
 * The brokers that coordinate groups and transactional ids. A coordinator is looked up once, and again when a broker
 * reports that it has moved.
 */
export class Coordinators {
  readonly #pool: BrokerPool
  readonly #known = new Map<string, Broker>()

  constructor(pool: BrokerPool) {
    this.#pool = pool
  }

  /** The coordinator, if known. */
  known(kind: CoordinatorKind, key: string): Broker | undefined {
    const known = this.#known.get(`${kind}/${key}`)
    // The broker has left the cluster, or has moved.
    return known !== undefined && this.#pool.brokers.get(known.nodeId) === known ? known : undefined
  }

  /**
   * Returns the coordinator, and looks it up if it is not known. Retries until it is available: a new cluster first
   * answers that it is not. Throws BrokerError, NoBrokersAvailableError.
   */
  async of(kind: CoordinatorKind, key: string, deadline: Deadline): Promise<Broker> {
    const known = this.known(kind, key)
    if (known !== undefined) return known
    const what = finding(kind, key)
    const { options: reporting } = this.#pool
    const { backoff } = reporting
    const giveUp = (error: Error) => this.#pool.wasNeverReached(error)
    return retrying({ what, deadline, backoff, reporting, giveUp }, async () => {
      const recipient = recipientOf(this.#pool, undefined, LOOKUP_PATIENCE_MS)
      const found = (await this.#find(recipient, kind, [key])).get(key)
      if (found instanceof Broker) return found
      throw found ?? noAnswer(kind, key)
    })
  }

  /**
   * Looks up the coordinators of many keys with one attempt: in one request from FindCoordinator v4 on (Kafka 3.0,
   * KIP-699), before in one request for each key. Resolves with the errors of the keys whose coordinator was not found.
   */
  async lookUp(
    kind: CoordinatorKind,
    keys: readonly string[],
  ): Promise<ReadonlyMap<string, KafkaError>> {
    const failures = new Map<string, KafkaError>()
    const attempt = async (some: readonly string[]): Promise<readonly string[]> => {
      try {
        const found = await this.#find(
          recipientOf(this.#pool, undefined, LOOKUP_PATIENCE_MS),
          kind,
          some,
        )
        for (const [key, one] of found) if (!(one instanceof Broker)) failures.set(key, one)
        return some.filter((key) => !found.has(key))
      } catch (error) {
        if (!(error instanceof KafkaError)) throw error
        for (const key of some) failures.set(key, error)
        return []
      }
    }
    // Old brokers answer for the first key only.
    const left = await attempt(keys)
    await eachOf(left, MAX_CONCURRENT, async (key) => {
      await attempt([key])
    })
    return failures
  }

  /** Forgets a coordinator: the next caller looks it up. */
  forget(kind: CoordinatorKind, key: string): void {
    this.#known.delete(`${kind}/${key}`)
  }

  /** Forgets the coordinator if the error means that the broker is not the coordinator or cannot be reached. */
  forgetIfMoved(kind: CoordinatorKind, key: string, error: unknown): void {
    if (isUnreachable(error) || isElsewhere(error)) this.forget(kind, key)
  }

  /** Requests as many of the keys as one request can contain: all from v4 on, the first one before. */
  async #find(
    recipient: Recipient,
    kind: CoordinatorKind,
    keys: readonly string[],
  ): Promise<ReadonlyMap<string, Broker | BrokerError>> {
    const keyType = KEY_TYPES[kind]
    const sent = { keys, isList: true }
    const response = await recipient.request(findCoordinator, (version) => {
      if (kind === 'transaction' && version < WITH_KEY_TYPES) {
        throw requiresKafka('a transactional id', '0.11', { broker: recipient.name })
      }
      sent.isList = version >= MANY_KEYS
      sent.keys = sent.isList ? keys : keys.slice(0, 1)
      return {
        ...(sent.isList ? { coordinatorKeys: [...keys] } : { key: keys[0]! }),
        ...(keyType === 0 ? {} : { keyType }),
      }
    })
    const answers = new Map(response.coordinators.map((one) => [one.key, one]))
    // Before v4 the response itself is the result of its only key.
    const answerFor = (key: string) => (sent.isList ? answers.get(key) : response)
    return new Map(sent.keys.map((key) => [key, this.#learn(kind, key, answerFor(key))]))
  }

  #learn(kind: CoordinatorKind, key: string, answer: Answer | undefined): Broker | BrokerError {
    if (answer === undefined) return noAnswer(kind, key)
    const { errorCode, errorMessage, nodeId, host, port } = answer
    if (errorCode !== ErrorCode.NONE) {
      return new BrokerError(errorCode, finding(kind, key), {}, errorMessage)
    }
    const broker = this.#pool.learnBroker(nodeId, { host, port })
    this.#known.set(`${kind}/${key}`, broker)
    return broker
  }
}

type Answer = Pick<
  FindCoordinatorResponse,
  'errorCode' | 'errorMessage' | 'nodeId' | 'host' | 'port'
>

function finding(kind: CoordinatorKind, key: string): string {
  return `finding the coordinator of ${kind} '${key}'`
}

function noAnswer(kind: CoordinatorKind, key: string): BrokerError {
  const detail = 'the response does not mention it'
  return new BrokerError(ErrorCode.UNKNOWN_SERVER_ERROR, finding(kind, key), {}, detail)
}

function isElsewhere(error: unknown): boolean {
  if (!(error instanceof BrokerError)) return false
  const { errorCode } = error
  return (
    errorCode === ErrorCode.NOT_COORDINATOR || errorCode === ErrorCode.COORDINATOR_NOT_AVAILABLE
  )
}
