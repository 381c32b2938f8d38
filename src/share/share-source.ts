import { shareAcknowledge } from '../../protocol/apis/share-acknowledge.ts'
import { shareFetch, type ShareFetchResponse } from '../../protocol/apis/share-fetch.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { BackoffOptions } from '../async/backoff.ts'
import { appendTo } from '../cluster/append-to.ts'
import { BrokerError, KafkaError } from '../errors.ts'
import type { Broker } from '../network/broker.ts'
import type { ConsumerMetrics } from '../observe/metrics/client-metrics.ts'
import type { TopicPartition } from '../consumer/topic-partition.ts'
import { asError } from '../observe/thrown.ts'
import { acknowledgementBatches } from './acknowledgements.ts'
import { publishAcknowledged } from './acknowledge-events.ts'
import { notAcknowledged } from './errors.ts'
import { AcquiredPartition, type AcknowledgedPart } from './acquired-partition.ts'
import type { AcknowledgementResults } from './acknowledgement-results.ts'
import { FINAL_EPOCH, sessionKeyOf, ShareSession, type SessionPartition } from './share-session.ts'

export interface ShareSourceOptions {
  readonly group: string
  readonly memberId: string
  readonly requestTimeoutMs: number
  readonly outcomes: AcknowledgementResults
  readonly backoff: BackoffOptions
  readonly metrics: ConsumerMetrics
  /** Called when there is something to acknowledge. */
  readonly onAcknowledgements: (source: ShareSource) => void
}

export interface ShareFetchLimits {
  readonly maxWaitMs: number
  readonly minBytes: number
  readonly maxBytes: number
  readonly maxRecords: number
  /** Kafka's `ShareAcquireMode`: 0 may exceed maxRecords so that batches stay whole, 1 does not. */
  readonly shareAcquireMode: number
}

export type ShareFetchedPartition = ShareFetchResponse['responses'][number]['partitions'][number]

export interface FetchedRecords {
  readonly partition: AcquiredPartition
  /** Undefined if the response does not contain the partition: it has neither records nor an error. */
  readonly fetched: ShareFetchedPartition | undefined
}

export interface ShareFetched {
  readonly partitions: readonly FetchedRecords[]
  readonly lockMs: number
  /** The earliest start of the locks, by `performance.now()`. */
  readonly lockedFrom: number
}

interface Taken {
  readonly partition: AcquiredPartition
  readonly part: AcknowledgedPart
}

/** Errors with which the broker refuses the session. It has then not executed the request. */
const SESSION_ERRORS = new Set<number>([
  ErrorCode.SHARE_SESSION_NOT_FOUND,
  ErrorCode.INVALID_SHARE_SESSION_EPOCH,
  ErrorCode.SHARE_SESSION_LIMIT_REACHED,
])

/** The lane of the next source's connection. The lanes of other consumers' fetches are 0 and higher. */
let nextLane = -1

/**
 * A broker from which the member acquires records. It gets one request at a time, because each has the next epoch of the session. The
 * session ends with its connection; other members can then acquire the session's records.
 */
export class ShareSource {
  readonly broker: Broker
  readonly #options: ShareSourceOptions
  readonly #session = new ShareSession()
  readonly #lane = nextLane--
  readonly #acquired = new Map<string, AcquiredPartition>()
  isBusy = false
  /** True if the request in flight contains acknowledgements. */
  isAcknowledging = false
  /** The number of records that the request in flight may acquire. */
  asked = 0
  /** No request is sent before this time. */
  notBefore = 0
  failures = 0
  /** The time since which acknowledgements have been waiting, by `performance.now()`. */
  waitingSince = Infinity

  constructor(broker: Broker, options: ShareSourceOptions) {
    this.broker = broker
    this.#options = options
  }

  get hasSession(): boolean {
    return !this.#session.isNew
  }

  get acquired(): Iterable<AcquiredPartition> {
    return this.#acquired.values()
  }

  get hasAcknowledgements(): boolean {
    for (const one of this.#acquired.values()) if (one.hasAcknowledgements) return true
    return false
  }

  /** The time from which there are acknowledgements to send, by `performance.now()`. Infinity: there are none. */
  get dueAt(): number {
    let due = Infinity
    for (const one of this.#acquired.values()) due = Math.min(due, one.dueAt)
    return due
  }

  get hasOpenRecords(): boolean {
    for (const one of this.#acquired.values()) if (one.hasOpenRecords) return true
    return false
  }

  /** True if there are renewals. They need a ShareAcknowledge; a fetch must not carry them. */
  get hasRenewals(): boolean {
    for (const one of this.#acquired.values()) if (one.hasRenewals) return true
    return false
  }

  /** True if a fetch for these partitions cannot carry all acknowledgements. */
  needsAcknowledge(wanted: readonly SessionPartition[]): boolean {
    if (this.hasRenewals) return true
    const keys = new Set(wanted.map(sessionKeyOf))
    for (const one of this.#acquired.values()) {
      if (one.hasAcknowledgements && !keys.has(one.key)) return true
    }
    return false
  }

  partitionOf(one: SessionPartition & TopicPartition): AcquiredPartition {
    const key = sessionKeyOf(one)
    let acquired = this.#acquired.get(key)
    if (acquired === undefined) {
      const { outcomes, backoff, metrics, onAcknowledgements } = this.#options
      const onChange = () => {
        if (this.waitingSince === Infinity) this.waitingSince = performance.now()
        onAcknowledgements(this)
      }
      const counted = metrics.counted.topics.of(one.topic)
      acquired = new AcquiredPartition(one, { outcomes, backoff, counted, onChange })
      this.#acquired.set(key, acquired)
    }
    return acquired
  }

  /** Removes the partitions that hold nothing, except these. */
  forgetUnused(wanted: ReadonlyMap<string, unknown>): void {
    for (const [key, one] of this.#acquired) {
      if (!wanted.has(key) && !one.hasOpenRecords && !one.hasAcknowledgements) {
        this.#acquired.delete(key)
      }
    }
  }

  /**
   * Fetches from these partitions, and sends acknowledgements with the fetch if the session is open. Throws
   * BrokerError and the errors of the connection.
   */
  async fetch(
    wanted: readonly (SessionPartition & TopicPartition)[],
    limits: ShareFetchLimits,
  ): Promise<ShareFetched> {
    const { group: groupId, memberId, requestTimeoutMs } = this.#options
    const partitions = wanted.map((one) => this.partitionOf(one))
    const taken = this.#session.isNew ? [] : this.#take(partitions, false)
    const { epoch, added, forgotten } = this.#session.fetch(partitions)
    const sent = performance.now()
    const response = await this.#sending(taken, 'fetching from a share group', () =>
      this.broker.request(
        shareFetch,
        {
          groupId,
          memberId,
          shareSessionEpoch: epoch,
          ...limits,
          batchSize: limits.maxRecords,
          isRenewAck: false,
          topics: requestTopics(added, taken),
          forgottenTopicsData: byTopic(forgotten).map(([topicId, ofTopic]) => ({
            topicId,
            partitions: ofTopic.map(({ partition }) => partition),
          })),
        },
        this.#requestOptions(limits.maxWaitMs + requestTimeoutMs),
      ),
    )
    const lockMs = response.acquisitionLockTimeoutMs
    const found = byPartition(response.responses)
    for (const { partition, part } of taken) {
      const one = found.get(partition.key)
      const code = one?.acknowledgeErrorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR
      const detail = one?.acknowledgeErrorMessage ?? null
      this.#report({ partition, part }, sent, () => errorIn(partition, code, detail))
      partition.answered(part, code, sent + lockMs, detail)
    }
    return {
      lockMs,
      lockedFrom: sent,
      partitions: partitions.map((partition) => ({ partition, fetched: found.get(partition.key) })),
    }
  }

  /** Sends the acknowledgements without fetching; `isLast` closes the session. */
  async acknowledge(isLast = false): Promise<void> {
    const { group: groupId, memberId, requestTimeoutMs } = this.#options
    const taken = this.#take(this.#acquired.values(), true)
    const isRenewAck = taken.some(({ part }) => part.ranges.some(({ type }) => type === 'renew'))
    const epoch = this.#session.acknowledge()
    const sent = performance.now()
    const response = await this.#sending(taken, 'acknowledging in a share group', () =>
      this.broker.request(
        shareAcknowledge,
        {
          groupId,
          memberId,
          shareSessionEpoch: isLast ? FINAL_EPOCH : epoch,
          isRenewAck,
          topics: requestTopics([], taken),
        },
        this.#requestOptions(requestTimeoutMs),
      ),
    )
    if (isLast) this.#session.lost()
    const found = byPartition(response.responses)
    for (const { partition, part } of taken) {
      const one = found.get(partition.key)
      const code = one?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR
      const detail = one?.errorMessage ?? null
      this.#report({ partition, part }, sent, () => errorIn(partition, code, detail))
      partition.answered(part, code, sent + response.acquisitionLockTimeoutMs, detail)
    }
  }

  /** Closes the connection, which also ends the session. */
  hangUp(): void {
    this.broker.hangUp('fetch', this.#lane)
  }

  #requestOptions(timeoutMs: number) {
    return { purpose: 'fetch', lane: this.#lane, timeoutMs } as const
  }

  #take(partitions: Iterable<AcquiredPartition>, mayRenew: boolean): readonly Taken[] {
    const taken: Taken[] = []
    const now = performance.now()
    for (const partition of partitions) {
      const part = partition.takePart(now, mayRenew)
      if (part !== undefined) taken.push({ partition, part })
    }
    this.isAcknowledging = taken.length > 0
    this.waitingSince = this.hasAcknowledgements ? performance.now() : Infinity
    return taken
  }

  /** Tracks the epoch of the session and the results of the acknowledgements in a request. */
  async #sending<
    Response extends { readonly errorCode: number; readonly errorMessage: string | null },
  >(taken: readonly Taken[], what: string, send: () => Promise<Response>): Promise<Response> {
    const sent = performance.now()
    try {
      const response = await send()
      const { errorCode, errorMessage } = response
      if (errorCode !== ErrorCode.NONE) {
        throw new BrokerError(errorCode, what, { broker: this.broker.name }, errorMessage)
      }
      this.#session.answered()
      return response
    } catch (error) {
      for (const one of taken) this.#report(one, sent, () => asError(error))
      this.#failed(taken, error)
      throw error
    } finally {
      this.isAcknowledging = false
    }
  }

  #report({ partition, part }: Taken, sent: number, errorOf: () => Error | undefined): void {
    const { ranges } = part
    const durationMs = performance.now() - sent
    const { name } = this.broker
    const acknowledged = { broker: name, of: partition, ranges, durationMs }
    publishAcknowledged(this.#options.metrics, acknowledged, errorOf)
  }

  #failed(taken: readonly Taken[], error: unknown): void {
    this.#session.lost()
    if (!(error instanceof KafkaError)) return
    if (!(error instanceof BrokerError)) {
      this.#disconnected(taken, error)
      return
    }
    // If the broker refuses the session, it has done nothing.
    const isRepeated = SESSION_ERRORS.has(error.errorCode) || error.retriable
    for (const { partition, part } of taken) {
      if (isRepeated) partition.again(part, error)
      else partition.failed(part, error)
    }
    for (const partition of this.#acquired.values()) {
      if (isRepeated) partition.expire(performance.now(), error)
      else partition.abandon(error)
    }
  }

  /**
   * The connection has ended, and with it the share session: other members can acquire its records. The broker may have
   * executed the request.
   */
  #disconnected(taken: readonly Taken[], error: KafkaError): void {
    for (const { partition, part } of taken) partition.failed(part, error)
    const reason = `the connection to ${this.broker.name} ended, and the share session with it`
    for (const partition of this.#acquired.values()) {
      partition.abandon(error)
      partition.loseAll(reason)
    }
  }
}

function errorIn(of: TopicPartition, code: number, detail: string | null): Error | undefined {
  return code === ErrorCode.NONE ? undefined : notAcknowledged(of, code, detail)
}

function byTopic<One extends SessionPartition>(all: readonly One[]): [string, One[]][] {
  const found = new Map<string, One[]>()
  for (const one of all) appendTo(found, one.topicId, one)
  return [...found]
}

function requestTopics(added: readonly SessionPartition[], taken: readonly Taken[]) {
  const named = new Map<string, SessionPartition & { readonly part?: AcknowledgedPart }>()
  for (const one of added) named.set(sessionKeyOf(one), one)
  for (const { partition: one, part } of taken) {
    named.set(one.key, { topicId: one.topicId, partition: one.partition, part })
  }
  return byTopic([...named.values()]).map(([topicId, ofTopic]) => ({
    topicId,
    partitions: ofTopic.map(({ partition, part }) => ({
      partitionIndex: partition,
      acknowledgementBatches: acknowledgementBatches(part?.ranges ?? []),
    })),
  }))
}

/** Returns the partitions of a response, by the key of `sessionKeyOf`. */
function byPartition<One extends { readonly partitionIndex: number }>(
  responses: readonly { readonly topicId: string; readonly partitions: readonly One[] }[],
): Map<string, One> {
  return new Map(
    responses.flatMap(({ topicId, partitions }) =>
      partitions.map((one) => [sessionKeyOf({ topicId, partition: one.partitionIndex }), one]),
    ),
  )
}
