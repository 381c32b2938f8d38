import { fetch } from '../../protocol/apis/fetch.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { MessageBatch } from '../../protocol/records/message-batch.ts'
import { readBatches } from '../../protocol/records/read-batches.ts'
import { backoffMs } from '../async/backoff.ts'
import { Deadline } from '../async/deadline.ts'
import { addTo } from '../cluster/add-to.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { reportRetry } from '../cluster/retry.ts'
import {
  BrokerError,
  CorruptBatchError,
  isRetriable,
  LeaderNotFoundError,
  suggestsNewMetadata,
} from '../errors.ts'
import type { Broker } from '../network/broker.ts'
import {
  fetchedPartitions,
  fetchRequest,
  maxFetchVersion,
  type FetchedPartition,
} from './fetch-request.ts'
import { listOffsets } from './list-offsets.ts'
import type { SimpleConsumerSettings } from './options.ts'
import type { PartitionState } from './partition-state.ts'

/** A batch that has arrived, or why none will. */
export type Fetched =
  | { readonly kind: 'batch'; readonly state: PartitionState; readonly batch: MessageBatch }
  | { readonly kind: 'error'; readonly error: Error }

let nextLane = 0

/** The largest batch asked for where brokers cut at a limit: none takes a message as large. */
const LARGEST_FETCH_BYTES = 0x3fffffff

/**
 * A consumer that finds nothing asks twice a second for ever, which is most of what an idle client costs. After
 * so many empty answers in a row the long poll becomes longer: it ends with the first message all the same.
 */
const QUIET_AFTER_ANSWERS = 4
const QUIET_WAIT_MS = 5_000

/** A request that is in flight to a leader. */
interface Poll {
  readonly maxWaitMs: number
  /** Set when it is ended for a partition that it leaves out and that must not wait for so long. */
  isCut: boolean
}

/**
 * Keeps one request in flight to each leader, for those of its partitions that have room in their buffers.
 * `pump` is called whenever something may have changed: a response, room, a timer.
 */
export class Fetcher {
  readonly #cluster: Cluster
  readonly #topic: string
  readonly #settings: SimpleConsumerSettings
  readonly #states: readonly PartitionState[]
  readonly #onFetched: (fetched: Fetched) => void
  readonly #polls = new Map<Broker, Poll>()
  /** How many answers in a row had nothing in them. */
  readonly #emptyAnswers = new Map<Broker, number>()
  /** Its own connection to each leader: see RequestOptions. */
  readonly #lane = nextLane++
  readonly #leaders = new Set<Broker>()
  #timer: NodeJS.Timeout | undefined
  #isStopped = false

  constructor(
    cluster: Cluster,
    topic: string,
    settings: SimpleConsumerSettings,
    states: readonly PartitionState[],
    onFetched: (fetched: Fetched) => void,
  ) {
    this.#cluster = cluster
    this.#topic = topic
    this.#settings = settings
    this.#states = states
    this.#onFetched = onFetched
  }

  /** Starts a request to every leader that has none in flight and a partition with room. */
  pump(): void {
    if (this.#isStopped) return
    const now = performance.now()
    const byLeader = new Map<Broker, PartitionState[]>()
    let nextLook = Infinity
    for (const state of this.#states) {
      if (!this.#wants(state)) continue
      if (state.notBefore > now) {
        nextLook = Math.min(nextLook, state.notBefore)
        continue
      }
      const leader = this.#cluster.leaderOf(this.#topic, state.partition)
      if (leader === undefined) {
        const { topic, partition } = state
        this.#retryLater(
          state,
          new LeaderNotFoundError(`${topic}-${partition} has no leader`, state),
        )
        nextLook = Math.min(nextLook, state.notBefore)
        continue
      }
      const poll = this.#polls.get(leader)
      if (poll !== undefined) {
        if (poll.maxWaitMs > this.#settings.fetchWaitMaxMs) this.#cut(leader, poll)
      } else {
        addTo(byLeader, leader, state)
      }
    }
    for (const [leader, states] of byLeader) void this.#fetch(leader, states)
    this.#lookAgainAt(nextLook, now)
  }

  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
    for (const leader of this.#leaders) leader.hangUp('fetch', this.#lane)
  }

  /** Ends a quiet poll: the next asks for the partition that it leaves out, too. */
  #cut(leader: Broker, poll: Poll): void {
    if (poll.isCut) return
    poll.isCut = true
    this.#emptyAnswers.delete(leader)
    leader.hangUp('fetch', this.#lane)
  }

  #maxWaitMs(leader: Broker): number {
    const { fetchWaitMaxMs, fetchMinBytes } = this.#settings
    const isQuiet = (this.#emptyAnswers.get(leader) ?? 0) >= QUIET_AFTER_ANSWERS
    // Where less than fetchMinBytes may be there, fetchWaitMaxMs is when the application gets it.
    return isQuiet && fetchMinBytes <= 1 ? Math.max(fetchWaitMaxMs, QUIET_WAIT_MS) : fetchWaitMaxMs
  }

  #wants(state: PartitionState): boolean {
    return (
      !state.isFetching &&
      state.error === undefined &&
      state.fetchOffset < state.endOffset &&
      state.bufferedBytes < this.#settings.fetchMessageMaxBytes
    )
  }

  async #fetch(leader: Broker, states: readonly PartitionState[]): Promise<void> {
    const poll: Poll = { maxWaitMs: this.#maxWaitMs(leader), isCut: false }
    this.#polls.set(leader, poll)
    this.#leaders.add(leader)
    for (const state of states) state.isFetching = true
    const topicId = this.#cluster.known(this.#topic)?.topicId
    const partitions = states.map(({ partition, fetchOffset, maxBytes }) => ({
      partition,
      position: fetchOffset,
      maxBytes,
    }))
    try {
      const response = await leader.request(
        fetch,
        (version) =>
          fetchRequest(
            this.#topic,
            topicId,
            partitions,
            { minBytes: this.#settings.fetchMinBytes, maxWaitMs: poll.maxWaitMs },
            version,
          ),
        {
          purpose: 'fetch',
          lane: this.#lane,
          maxVersion: maxFetchVersion(topicId),
          timeoutMs: poll.maxWaitMs + this.#cluster.options.requestTimeoutMs,
        },
      )
      if (this.#isStopped) return
      if (response.errorCode !== ErrorCode.NONE) {
        throw new BrokerError(response.errorCode, 'fetching', { broker: leader.name })
      }
      const fetched = new Map(fetchedPartitions(response).map((one) => [one.partition, one]))
      const isEmpty = [...fetched.values()].every(({ records }) => records.length === 0)
      this.#emptyAnswers.set(leader, isEmpty ? (this.#emptyAnswers.get(leader) ?? 0) + 1 : 0)
      for (const state of states) {
        const one = fetched.get(state.partition)
        if (one !== undefined) await this.#handle(state, one, leader)
      }
    } catch (error) {
      const isExpected = this.#isStopped || poll.isCut
      if (!isExpected) for (const state of states) this.#fail(state, error as Error)
    } finally {
      this.#polls.delete(leader)
      for (const state of states) state.isFetching = false
      this.pump()
    }
  }

  async #handle(state: PartitionState, fetched: FetchedPartition, leader: Broker): Promise<void> {
    const { topic, partition } = state
    if (fetched.errorCode === ErrorCode.OFFSET_OUT_OF_RANGE) {
      await this.#reset(state)
      return
    }
    if (fetched.errorCode !== ErrorCode.NONE) {
      const context = { topic, partition, broker: leader.name }
      this.#fail(
        state,
        new BrokerError(fetched.errorCode, `fetching ${topic}-${partition}`, context),
      )
      return
    }
    state.failures = 0
    state.highWatermark = fetched.highWatermark
    const { batches, cutOffBytes, error } = readBatches(fetched.records, state)
    for (const batch of batches) {
      if (batch.lastOffset < state.fetchOffset) continue
      state.fetchOffset = batch.lastOffset + 1
      state.bufferedBytes += batch.sizeBytes
      this.#onFetched({ kind: 'batch', state, batch })
    }
    if (error !== undefined) {
      state.error = new CorruptBatchError(topic, partition, state.fetchOffset, error)
      this.#onFetched({ kind: 'error', error: state.error })
    } else if (batches.length === 0 && cutOffBytes > 0) {
      // Brokers before KIP-74 (0.10.1) cut even the first batch off: ask for all of it.
      state.maxBytes = Math.min(LARGEST_FETCH_BYTES, Math.max(cutOffBytes, state.maxBytes * 2))
    }
  }

  /** The position is not in the log (any more): goes on where autoOffsetReset says. */
  async #reset(state: PartitionState): Promise<void> {
    const { topic, partition } = state
    const { autoOffsetReset } = this.#settings
    // A time was for the start: the log has been cut since, what is left of it comes next.
    const spec = typeof autoOffsetReset === 'number' ? 'earliest' : autoOffsetReset
    const deadline = new Deadline(this.#cluster.options.operationTimeoutMs)
    const offsets = await listOffsets(this.#cluster, topic, [partition], spec, deadline)
    if (state.bufferedBytes === 0) state.moveTo(offsets.get(partition) ?? 0)
    else state.fetchOffset = offsets.get(partition) ?? 0
  }

  #fail(state: PartitionState, error: Error): void {
    if (isRetriable(error)) {
      this.#retryLater(state, error)
      return
    }
    state.error = error
    this.#onFetched({ kind: 'error', error })
  }

  #retryLater(state: PartitionState, error: Error): void {
    const { backoff, logger } = this.#cluster.options
    const waitMs = backoffMs(state.failures++, backoff)
    state.notBefore = performance.now() + waitMs
    const what = `fetching ${state.topic}-${state.partition}`
    reportRetry(logger, { what, attempt: state.failures, waitMs, error })
    if (suggestsNewMetadata(error)) {
      // If it fails there is nobody to fetch from, and the next look finds that.
      this.#cluster.refresh(this.#topic).catch(() => undefined)
    }
  }

  #lookAgainAt(time: number, now: number): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (time === Infinity) return
    this.#timer = setTimeout(() => this.pump(), Math.max(0, time - now))
  }
}
