/**
 * Sends any request to a cluster: finds the broker, sends, and sends again to the right broker when leaders,
 * coordinators or the controller have moved, until the caller's deadline.
 */
import { ErrorCode } from '../../protocol/errors.ts'
import type { Api } from '../../protocol/schema/api.ts'
import type { Decoded, Fields } from '../../protocol/schema/fields.ts'
import type { BackoffOptions } from '../async/backoff.ts'
import type { Deadline } from '../async/deadline.ts'
import { BrokerError, KafkaError, LeaderNotFoundError, suggestsNewMetadata } from '../errors.ts'
import type { BodyFor, Broker, Purpose } from '../network/broker.ts'
import { appendTo } from './append-to.ts'
import type { BrokerPool } from './broker-pool.ts'
import type { Coordinators } from './coordinators.ts'
import { partitionNumbered } from './metadata.ts'
import type { MetadataCache } from './metadata-cache.ts'
import { recipientOf, type Recipient } from './recipient.ts'
import { onlyErrorAmong, topLevelError } from './response-errors.ts'
import { retrying } from './retry.ts'
import {
  isCoordinator,
  type BrokerTarget,
  type CoordinatorKind,
  type CoordinatorTarget,
  type Target,
} from './target.ts'

export interface AskSettings {
  readonly to: Target
  /** What the request does, for errors, events and logs: `creating topics`. */
  readonly what: string
  /** One deadline for all attempts. */
  readonly deadline: Deadline
  /** The waits between attempts. Default: the client's `retryBackoffMs` and `retryBackoffMaxMs`. */
  readonly backoff?: BackoffOptions
  /**
   * For requests to any broker that may be answered twice: when a broker has not answered within this time, the next
   * one is asked beside it. Default: only when a request has failed.
   */
  readonly patienceMs?: number
}

export interface CallSettings extends AskSettings {
  readonly purpose?: Purpose
  /** The highest version to use, if the caller cannot fill in later ones. */
  readonly maxVersion?: number
  /** The time limit of one attempt. Default: the client's `socketTimeoutMs`. */
  readonly timeoutMs?: number
}

const MOVED_CONTROLLER = new Set<number>([ErrorCode.NOT_CONTROLLER])
const MOVED_COORDINATOR = new Set<number>([
  ErrorCode.NOT_COORDINATOR,
  ErrorCode.COORDINATOR_NOT_AVAILABLE,
  ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
])
const MOVED_LEADER = new Set<number>([
  ErrorCode.NOT_LEADER_OR_FOLLOWER,
  ErrorCode.LEADER_NOT_AVAILABLE,
  ErrorCode.FENCED_LEADER_EPOCH,
  ErrorCode.UNKNOWN_LEADER_EPOCH,
])
const NOTHING = new Set<number>()

export class Router {
  readonly #pool: BrokerPool
  readonly #metadata: MetadataCache
  readonly #coordinators: Coordinators

  constructor(pool: BrokerPool, metadata: MetadataCache, coordinators: Coordinators) {
    this.#pool = pool
    this.#metadata = metadata
    this.#coordinators = coordinators
  }

  /**
   * Sends a request and resolves with the response. Retries errors that may go away: lost connections, error codes that
   * Kafka calls retriable, targets that have moved. Error codes of single items stay in the response, except if every
   * item reports that the target has moved: then nothing was done. Throws BrokerError for the error code of a whole
   * response, UnsupportedVersionError, NoBrokersAvailableError, RequestTimeoutError.
   */
  call<Request extends Fields, Response extends Fields>(
    api: Api<Request, Response>,
    body: BodyFor<Request>,
    settings: CallSettings,
  ): Promise<Decoded<Response>> {
    const { to, what, purpose, maxVersion, timeoutMs } = settings
    const options = {
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      ...(purpose === undefined ? {} : { purpose }),
      ...(maxVersion === undefined ? {} : { maxVersion }),
    }
    return this.ask(settings, async (recipient) => {
      const response = await recipient.request(api, body, options)
      const failed = topLevelError(response)
      const context = { broker: recipient.name }
      if (failed !== undefined) {
        throw new BrokerError(failed.errorCode, what, context, failed.errorMessage)
      }
      const moved = onlyErrorAmong(response, movedCodes(to))
      if (moved !== undefined) throw new BrokerError(moved, what, context)
      return response
    })
  }

  /**
   * Like `call`, for requests that belong together or whose responses need their own checks: runs `ask` with the broker
   * of the target until it resolves. A retriable error of `ask` is retried; an error that means that the target has
   * moved makes the next attempt look it up. Throws the last error.
   */
  ask<T>(settings: AskSettings, ask: (recipient: Recipient) => Promise<T>): Promise<T> {
    const { to, what, deadline, backoff = this.#pool.options.backoff, patienceMs } = settings
    const reporting = this.#pool.options
    const giveUp = (error: Error) => this.#pool.wasNeverReached(error)
    const target = this.resolved(to)
    return retrying({ what, deadline, backoff, reporting, giveUp }, () =>
      target === 'any'
        ? ask(recipientOf(this.#pool, undefined, patienceMs))
        : this.attempt(target, deadline, (broker) => ask(recipientOf(this.#pool, broker))),
    )
  }

  /** Of controllers only the active one answers requests that any broker would answer. */
  resolved(to: Target): Target {
    return to === 'any' && this.#pool.options.bootstrapsFromControllers ? 'controller' : to
  }

  /**
   * A single attempt at the broker of a target, for callers with their own handling of failures, such as the members of
   * a group. An error that means that the target has moved makes the next attempt look it up.
   */
  async attempt<T>(
    to: BrokerTarget,
    deadline: Deadline,
    ask: (broker: Broker) => Promise<T>,
  ): Promise<T> {
    try {
      return await ask(await this.#brokerOf(to, deadline))
    } catch (error) {
      await this.forgetIfMoved(to, error)
      throw error
    }
  }

  /** Refreshes the brokers and the controller. Retries until a broker answers. */
  refreshBrokers(deadline: Deadline): Promise<void> {
    return this.ask({ to: 'any', what: 'looking up the brokers', deadline }, () =>
      this.#metadata.refreshBrokers(),
    )
  }

  /** Refreshes the brokers, the controller, and all known topics. Retries until a broker answers. */
  refreshAll(deadline: Deadline): Promise<void> {
    return this.ask({ to: 'any', what: 'updating the cluster', deadline }, () =>
      this.#metadata.refreshAll(),
    )
  }

  /** The broker of a target, if known. Undefined for `any`. */
  known(to: Target): Broker | undefined {
    if (to === 'any') return undefined
    if (to === 'controller') return this.#metadata.controller
    if ('broker' in to) return this.#pool.brokers.get(to.broker)
    if ('leader' in to) return this.#metadata.leaderOf(to.leader.topic, to.leader.partition)
    return this.#coordinators.known(to.coordinator, to.key)
  }

  /**
   * Looks up targets with one attempt for all: a topic once for all its partitions, and the coordinators of many keys
   * in one request if brokers support that. Resolves with the failures by `placeOf`. A caller with many targets retries
   * itself, so that one key without a coordinator does not delay the others.
   */
  async lookUp(targets: readonly BrokerTarget[]): Promise<ReadonlyMap<string, KafkaError>> {
    const failures = new Map<string, KafkaError>()
    const keys = new Map<CoordinatorKind, string[]>()
    const others = new Map<string, Exclude<BrokerTarget, CoordinatorTarget>>()
    const places = new Set<string>()
    for (const target of targets) {
      const place = this.placeOf(target)
      if (places.has(place)) continue
      places.add(place)
      if (isCoordinator(target)) appendTo(keys, target.coordinator, target.key)
      else others.set(place, target)
    }
    await Promise.all([
      ...[...others].map(async ([place, target]) => {
        try {
          await this.#refresh(target)
        } catch (error) {
          if (!(error instanceof KafkaError)) throw error
          failures.set(place, error)
        }
      }),
      ...[...keys].map(async ([coordinator, ofKind]) => {
        const errors = await this.#coordinators.lookUp(coordinator, ofKind)
        for (const [key, error] of errors) failures.set(this.placeOf({ coordinator, key }), error)
      }),
    ])
    return failures
  }

  /**
   * Looks up one coordinator, again and again until it is available or the deadline is over. Then it throws the last
   * error of the cluster, or RequestTimeoutError if there was none.
   */
  async lookUpCoordinator(
    { coordinator, key }: CoordinatorTarget,
    deadline: Deadline,
  ): Promise<void> {
    await this.#coordinators.of(coordinator, key, deadline)
  }

  /** The error for a lookup that succeeded and did not find the target. */
  missing(to: BrokerTarget): KafkaError {
    if (to === 'controller') {
      const detail = 'the brokers reported no controller'
      return new BrokerError(ErrorCode.LEADER_NOT_AVAILABLE, 'finding the controller', {}, detail)
    }
    if ('broker' in to) {
      const known = [...this.#pool.brokers.keys()].sort((a, b) => a - b).join(', ')
      const detail = `the cluster has no broker ${to.broker}; its brokers are ${known || 'none'}`
      const what = `finding broker ${to.broker}`
      return new BrokerError(ErrorCode.BROKER_NOT_AVAILABLE, what, {}, detail)
    }
    if ('leader' in to) return this.#missingLeader(to.leader.topic, to.leader.partition)
    const what = `finding the coordinator of ${to.coordinator} '${to.key}'`
    return new BrokerError(ErrorCode.COORDINATOR_NOT_AVAILABLE, what)
  }

  async #brokerOf(to: BrokerTarget, deadline: Deadline): Promise<Broker> {
    if (isCoordinator(to)) return this.#coordinators.of(to.coordinator, to.key, deadline)
    const known = this.known(to)
    if (known !== undefined) return known
    await this.#refresh(to)
    const found = this.known(to)
    if (found === undefined) throw this.missing(to)
    return found
  }

  async #refresh(to: Exclude<BrokerTarget, CoordinatorTarget>): Promise<void> {
    if (typeof to === 'object' && 'leader' in to) await this.#metadata.refresh(to.leader.topic)
    else await this.#metadata.refreshBrokers()
  }

  #missingLeader(topic: string, partition: number): KafkaError {
    const known = this.#metadata.known(topic)
    if (partitionNumbered(known?.partitions ?? [], partition) === undefined) {
      const what = `finding the leader of ${topic}-${partition}`
      // For example, the client may not see the topic.
      const errorCode = known?.errorCode || ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
      return new BrokerError(errorCode, what, { topic, partition })
    }
    return new LeaderNotFoundError(`${topic}-${partition} has no leader`, { topic, partition })
  }

  /** The key of what `forgetIfMoved` forgets: equal for targets that are forgotten together. */
  placeOf(to: Target): string {
    if (typeof to === 'string') return to
    if ('broker' in to) return 'broker'
    return 'leader' in to ? `leader ${to.leader.topic}` : `${to.coordinator} ${to.key}`
  }

  /** Forgets the location of the target if the error means that it may have moved: the next attempt looks it up. */
  async forgetIfMoved(to: Target, error: unknown): Promise<void> {
    if (to === 'any' || !(error instanceof Error)) return
    if (to === 'controller') {
      const isElsewhere = error instanceof BrokerError && MOVED_CONTROLLER.has(error.errorCode)
      if (isElsewhere || suggestsNewMetadata(error)) this.#metadata.forgetController()
    } else if ('leader' in to) {
      // A failed refresh is not the caller's request; the next attempt fails with the same error.
      if (suggestsNewMetadata(error)) {
        await this.#metadata.refresh(to.leader.topic).catch(() => undefined)
      }
    } else if ('coordinator' in to) {
      this.#coordinators.forgetIfMoved(to.coordinator, to.key, error)
    }
  }
}

function movedCodes(to: Target): ReadonlySet<number> {
  if (to === 'any') return NOTHING
  if (to === 'controller') return MOVED_CONTROLLER
  if ('leader' in to) return MOVED_LEADER
  return 'coordinator' in to ? MOVED_COORDINATOR : NOTHING
}
