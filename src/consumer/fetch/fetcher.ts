import { fetch, type FetchResponse } from '../../../protocol/apis/fetch.ts'
import { ErrorCode } from '../../../protocol/errors.ts'
import { backoffMs } from '../../async/backoff.ts'
import { addTo } from '../../cluster/add-to.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import { partitionNumbered } from '../../cluster/metadata.ts'
import { reportRetry } from '../../cluster/retry.ts'
import {
  BrokerError,
  isRetriable,
  LeaderNotFoundError,
  suggestsNewMetadata,
  TopicRecreatedError,
  UnknownTopicError,
} from '../../errors.ts'
import type { Broker } from '../../network/broker.ts'
import { FrameMemory } from '../../network/frame-memory.ts'
import type { PartitionState } from '../partition-state.ts'
import { denied, isOfConnection, isStaleEpoch, isUnknownTopic } from './failures.ts'
import { FetchBudget, queuedBytes } from './fetch-budget.ts'
import {
  fetchedPartitions,
  fetchRequest,
  maxFetchVersion,
  usesTopicIds,
  type FetchedPartition,
} from './fetch-request.ts'
import { keyOf, type PartitionToFetch } from './fetch-session.ts'
import { Lease } from './lease.ts'
import { findEnd, isEndMissing, reset, validate, type Recovery } from './recovery.ts'
import { queueRecords } from './responses.ts'
import type { FetchSettings } from './settings.ts'
import { Source, type Poll } from './source.ts'

/** All partitions of a response together. */
const MAX_RESPONSE_BYTES = 50 * 1024 * 1024
/** An application that took something so recently is about to make room in a full buffer. */
const RECENTLY_MS = 1_000

/** A partition that is part of a request, and what was asked for it. */
interface Asked {
  readonly state: PartitionState
  readonly toFetch: PartitionToFetch
  readonly jumps: number
}

export interface FetcherEvents {
  /** Something was put into the queue of a partition, or it was moved. */
  readonly onArrived: (state: PartitionState) => void
  /** No connection to a broker can be had until somebody puts that right. */
  readonly onProblem: (error: Error) => void
  /** The log lost what was read of a partition: called before it is moved back. */
  readonly onTruncated: (state: PartitionState) => void
}

/**
 * Keeps one request in flight to each broker, for those of its partitions that have room in their buffers.
 * `pump` is called whenever something may have changed for many, `roomMade` when the application took something.
 */
export class Fetcher {
  readonly #cluster: Cluster
  readonly #settings: FetchSettings
  /** In the order in which they are asked for: who got something goes to the end. */
  readonly #states = new Set<PartitionState>()
  readonly #events: FetcherEvents
  readonly #sources = new Map<Broker, Source[]>()
  readonly #budget: FetchBudget
  readonly #frameMemory: FrameMemory | undefined
  #timer: NodeJS.Timeout | undefined
  #lastTaken = -Infinity
  /** As much is buffered as may be: nothing is asked for until the application has taken some of it. */
  #isFull = false
  #isStopped = false

  constructor(cluster: Cluster, settings: FetchSettings, events: FetcherEvents) {
    this.#cluster = cluster
    this.#settings = settings
    this.#events = events
    this.#budget = new FetchBudget(settings.queuedMaxBytes)
    if (settings.reuseMemory) this.#frameMemory = new FrameMemory(this.#mayBufferBytes)
  }

  add(state: PartitionState): void {
    this.#states.add(state)
  }

  remove(state: PartitionState): void {
    this.#states.delete(state)
  }

  /** Starts a request to every broker that has none in flight and a partition with room. */
  pump(): void {
    if (this.#isStopped) return
    this.#forgetGone()
    const now = performance.now()
    const bySource = new Map<Source, PartitionState[]>()
    const awaited = new Set<Source>()
    let nextLook = Infinity
    for (const state of this.#states) {
      if (!this.#isReadable(state)) continue
      if (state.notBefore > now) {
        nextLook = Math.min(nextLook, state.notBefore)
        continue
      }
      const source = this.#sourceOf(state, now)
      if (source === undefined) {
        nextLook = Math.min(nextLook, state.notBefore)
        continue
      }
      if (source.notBefore > now) nextLook = Math.min(nextLook, source.notBefore)
      else if (!this.#hasRoom(state)) awaited.add(source)
      else if (source.poll !== undefined)
        nextLook = Math.min(nextLook, this.#cut(source, state, now))
      else if (this.#isValid(state)) addTo(bySource, source, state)
    }
    this.#isFull = bySource.size > 0 && this.#bufferedBytes() >= this.#mayBufferBytes
    if (!this.#isFull) {
      const isBusy = now - this.#lastTaken < RECENTLY_MS
      const share = Math.ceil(this.#mayBufferBytes / this.#sources.size)
      for (const [source, states] of bySource) {
        const wanted = states.reduce((sum, { maxBytes }) => sum + maxBytes, 0)
        const maxBytes = Math.min(MAX_RESPONSE_BYTES, share, wanted)
        void this.#fetch(source, states, maxBytes, isBusy && awaited.has(source))
      }
    }
    this.#lookAgainAt(nextLook, now)
  }

  /** Partitions were paused or given up: what they have does not count any more. */
  lessBuffered(): void {
    if (this.#isFull) this.pump()
  }

  /** The application took something: a partition whose buffer was full may be asked for again. */
  roomMade(state: PartitionState): void {
    this.#lastTaken = performance.now()
    if (this.#isFull) {
      if (this.#bufferedBytes() < this.#mayBufferBytes) this.pump()
      return
    }
    if (!this.#isReadable(state) || !this.#hasRoom(state)) return
    for (const sources of this.#sources.values()) {
      for (const { poll } of sources) {
        // Another's may be its own: pump finds out.
        if (poll === undefined || poll.maxWaitMs > this.#settings.fetchWaitMaxMs) {
          this.pump()
          return
        }
      }
    }
  }

  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
    for (const sources of this.#sources.values()) for (const source of sources) source.hangUp()
  }

  #isReadable(state: PartitionState): boolean {
    return (
      !state.isFetching &&
      state.isHandedOver &&
      !state.isStopped &&
      state.preparation === 'none' &&
      (state.fetchOffset < state.endOffset || state.isBeyondEnd)
    )
  }

  /** Ends a poll that leaves the partition out, where that must not wait for it; returns when to look again. */
  #cut(source: Source, state: PartitionState, now: number): number {
    if (state.isUrgent) return source.cutSoon(now)
    source.cutIfLong(this.#settings.fetchWaitMaxMs)
    return Infinity
  }

  #hasRoom(state: PartitionState): boolean {
    return (
      state.bufferedBytes < this.#settings.fetchMessageMaxBytes &&
      state.bufferedMessages < this.#settings.queuedMaxMessages
    )
  }

  get #mayBufferBytes(): number {
    return this.#budget.shareBytes
  }

  /** Those that are paused or failed keep what they have, and must not keep the others from being fetched. */
  #bufferedBytes(): number {
    let bytes = 0
    for (const state of this.#states) {
      if (state.isHandedOver && state.error === undefined) bytes += queuedBytes(state)
    }
    return bytes
  }

  /** Brokers that have left the cluster, or moved, have no share. */
  #forgetGone(): void {
    for (const [broker, sources] of this.#sources) {
      const isThere = this.#cluster.brokers.get(broker.nodeId) === broker
      if (!isThere && sources.every(({ poll }) => poll === undefined)) this.#sources.delete(broker)
    }
  }

  /** Where to fetch a partition: from a closer replica that was named, or from its leader. */
  #sourceOf(state: PartitionState, now: number): Source | undefined {
    const known = this.#cluster.known(state.topic)
    if (state.topicId !== undefined && known?.topicId !== undefined) {
      if (state.topicId !== known.topicId) {
        this.#end(state, new TopicRecreatedError(state.topic, state.partition))
        return undefined
      }
    }
    const preferred =
      state.preferredUntil > now ? this.#cluster.brokers.get(state.preferredReplica) : undefined
    const broker = preferred ?? this.#cluster.leaderOf(state.topic, state.partition)
    if (broker === undefined) {
      const { topic, partition, name } = state
      const error = new LeaderNotFoundError(`${name} has no leader`, { topic, partition })
      this.#retryLater(state, error)
      return undefined
    }
    let sources = this.#sources.get(broker)
    if (sources === undefined) {
      const { numConsumerFetchers } = this.#settings
      sources = Array.from({ length: numConsumerFetchers }, () => new Source(broker))
      this.#sources.set(broker, sources)
    }
    return sources[state.partition % sources.length]
  }

  /** Whether the position is known to be in the leader's log; finds out where there is a new leader (KIP-320). */
  #isValid(state: PartitionState): boolean {
    const ofLeader = this.#leaderEpoch(state)
    if (ofLeader === state.validEpoch || ofLeader < 0) return true
    if (state.fetchEpoch < 0) {
      state.validEpoch = ofLeader
      return true
    }
    void this.#recover(state, 'validating', () =>
      validate(this.#cluster, this.#settings, state, ofLeader),
    )
    return false
  }

  #leaderEpoch({ topic, partition }: PartitionState): number {
    const partitions = this.#cluster.known(topic)?.partitions
    return (partitions && partitionNumbered(partitions, partition))?.leaderEpoch ?? -1
  }

  async #fetch(
    source: Source,
    states: readonly PartitionState[],
    maxBytes: number,
    isAwaited: boolean,
  ): Promise<void> {
    const { fetchWaitMaxMs, fetchMinBytes, isReadCommitted, clientRack } = this.#settings
    const maxWaitMs = source.maxWaitMs(fetchWaitMaxMs, fetchMinBytes, isAwaited)
    const began = performance.now()
    const poll: Poll = { maxWaitMs, began, isCut: false }
    source.poll = poll
    const asked = states.map((state) => this.#ask(state))
    const wanted = asked.map(({ toFetch }) => toFetch)
    let byId = false
    try {
      const response = await source.broker.request(
        fetch,
        (version) => {
          byId = usesTopicIds(version)
          return fetchRequest(source.session.next(wanted, byId), {
            minBytes: fetchMinBytes,
            maxWaitMs,
            maxBytes,
            isolationLevel: isReadCommitted ? 1 : 0,
            rackId: clientRack,
          })
        },
        {
          purpose: 'fetch',
          lane: source.lane,
          frameMemory: this.#frameMemory,
          maxVersion: maxFetchVersion(wanted),
          timeoutMs: maxWaitMs + this.#cluster.options.requestTimeoutMs,
        },
      )
      if (this.#isStopped) return
      // A session that is over is nobody's failure: the next request begins another.
      if (source.session.answered(response.errorCode, response.sessionId)) {
        source.answered('session-over', performance.now() - began, this.#settings)
        return
      }
      if (response.errorCode !== ErrorCode.NONE) {
        throw new BrokerError(response.errorCode, 'fetching', { broker: source.broker.name })
      }
      const bytes = this.#takeApart(response, asked, byId, source)
      source.answered(bytes === 0 ? 'empty' : 'records', performance.now() - began, this.#settings)
    } catch (error) {
      source.session.lost()
      if (this.#isStopped || poll.isCut) return
      this.#report(source, error as Error)
      for (const { state, jumps } of asked) {
        state.preferredUntil = 0
        if (state.isAssigned && state.jumps === jumps) this.#fail(state, error as Error)
      }
    } finally {
      source.poll = undefined
      for (const { state, jumps } of asked) if (state.jumps === jumps) state.isFetching = false
      this.pump()
    }
  }

  #ask(state: PartitionState): Asked {
    state.isFetching = true
    state.isUrgent = false
    const { topic, partition, fetchOffset: offset, maxBytes, jumps } = state
    const topicId = this.#cluster.known(topic)?.topicId
    state.topicId ??= topicId
    const leaderEpoch = this.#leaderEpoch(state)
    return { state, jumps, toFetch: { topic, topicId, partition, offset, maxBytes, leaderEpoch } }
  }

  /** Returns how many bytes of records the response has. */
  #takeApart(
    response: FetchResponse,
    asked: readonly Asked[],
    byId: boolean,
    source: Source,
  ): number {
    const fetched = fetchedPartitions(response, byId)
    let bytes = 0
    for (const { records } of fetched.values()) bytes += records?.length ?? 0
    const lease = this.#leaseOf(fetched)
    lease?.hold()
    for (const { state, toFetch, jumps } of asked) {
      const one = fetched.get(keyOf(toFetch, byId))
      // What was asked for before it was given up, or moved, is not what is wanted any more.
      if (!state.isAssigned || state.jumps !== jumps) continue
      // In a session a broker leaves out what has not changed.
      if (one === undefined) {
        this.#checkEnd(state)
        continue
      }
      this.#handle(state, one, source.broker, lease)
      this.#events.onArrived(state)
    }
    lease?.letGo()
    return bytes
  }

  /** All of a response is in the same memory. */
  #leaseOf(fetched: ReadonlyMap<string, FetchedPartition>): Lease | undefined {
    if (this.#frameMemory === undefined) return undefined
    for (const { records } of fetched.values()) {
      if (records !== null && records.length > 0)
        return new Lease(this.#frameMemory, records.buffer)
    }
    return undefined
  }

  #handle(
    state: PartitionState,
    fetched: FetchedPartition,
    broker: Broker,
    lease: Lease | undefined,
  ): void {
    const { errorCode, preferredReadReplica, records } = fetched
    if (errorCode !== ErrorCode.NONE) {
      this.#handleError(state, errorCode, broker)
      return
    }
    if (preferredReadReplica >= 0) {
      // As often as metadata is refreshed the leader is asked again.
      state.preferredReplica = preferredReadReplica
      state.preferredUntil = performance.now() + this.#cluster.options.metadataMaxAgeMs
    }
    state.failures = 0
    state.unknown = undefined
    state.highWatermark = Number(fetched.highWatermark)
    state.lastStableOffset = Number(fetched.lastStableOffset)
    // The offset exists by now: wakes the reader, which finds that it is beyond the end.
    if (state.isBeyondEnd) state.jumpTo(state.fetchOffset)
    if (records === null || records.length === 0) {
      state.fruitless = 0
      this.#checkEnd(state)
      return
    }
    this.#states.delete(state)
    this.#states.add(state)
    const { logger } = this.#cluster.options
    if (queueRecords(state, fetched, lease, this.#settings, logger)) state.fruitless = 0
    else this.#afterFruitless(state, 'the response has no batch that leads any further')
    this.#budget.saw(state)
  }

  #checkEnd(state: PartitionState): void {
    if (!isEndMissing(state, this.#settings)) return
    void this.#recover(state, 'finding-end', () => findEnd(this.#cluster, this.#settings, state))
  }

  /** The first time may have a cause that asking again ends, such as a limit. */
  #afterFruitless(state: PartitionState, detail: string): void {
    if (state.fruitless++ === 0) return
    const attempt = state.fruitless - 1
    const waitMs = backoffMs(attempt - 1, this.#settings.fetchBackoff)
    state.notBefore = performance.now() + waitMs
    const { topic, partition, name } = state
    const error = new BrokerError(ErrorCode.NONE, `fetching ${name}`, { topic, partition }, detail)
    reportRetry(this.#cluster.options.logger, { what: `fetching ${name}`, attempt, waitMs, error })
  }

  #handleError(state: PartitionState, errorCode: number, broker: Broker): void {
    const isPreferred = state.preferredUntil > performance.now()
    state.preferredUntil = 0
    if (errorCode === ErrorCode.OFFSET_OUT_OF_RANGE) {
      // A follower may be behind: what the leader says counts.
      if (isPreferred) return
      // A position that was looked up and is refused again leads no further either.
      this.#afterFruitless(state, 'the position is not in the log')
      void this.#recover(state, 'resetting', () => reset(this.#cluster, this.#settings, state))
      return
    }
    const { topic, partition, name } = state
    const context = { topic, partition, broker: broker.name }
    const error = new BrokerError(errorCode, `fetching ${name}`, context)
    if (isUnknownTopic(errorCode)) {
      const deletion = denied(state, this.#cluster, this.#settings.fetchBackoff)
      if (deletion !== undefined) this.#end(state, deletion)
      else this.#retryLater(state, error)
    } else {
      state.unknown = undefined
      this.#fail(state, error)
    }
  }

  /**
   * Does what has to be done before the partition can be fetched. If it fails, only this one waits. What
   * the state was moved to meanwhile stays.
   */
  async #recover(
    state: PartitionState,
    preparation: PartitionState['preparation'],
    run: () => Promise<Recovery>,
  ): Promise<void> {
    const { jumps } = state
    state.preparation = preparation
    try {
      const recovery = await run()
      if (recovery?.kind === 'end') this.#end(state, recovery.error)
      if (recovery?.kind === 'truncated') {
        this.#events.onTruncated(state)
        state.moveTo(recovery.to, recovery.leaderEpoch)
      }
      this.#events.onArrived(state)
    } catch (error) {
      if (state.isAssigned && state.jumps === jumps && !this.#isStopped) {
        this.#fail(state, error as Error)
      }
    } finally {
      // The position was found otherwise, or is to be looked for again: as the next fetch says.
      if (state.jumps === jumps) state.preparation = 'none'
      this.pump()
    }
  }

  #fail(state: PartitionState, error: Error): void {
    // The broker may have been started again since it last denied the partition.
    if (isOfConnection(error)) state.unknown = undefined
    if (isRetriable(error) || isOfConnection(error)) this.#retryLater(state, error)
    else this.#end(state, error)
  }

  /**
   * A login that was refused, or a certificate: the application is told once, and the broker is asked again all the
   * same, since both can be put right while the consumer runs.
   */
  #report(source: Source, error: Error): void {
    if (!isOfConnection(error) || isRetriable(error) || source.isReported) return
    source.isReported = true
    this.#events.onProblem(error)
  }

  /** The application is told once it has been given what is queued. */
  #end(state: PartitionState, error: Error): void {
    if (error instanceof TopicRecreatedError || error instanceof UnknownTopicError) {
      state.lostTopic = error
    }
    state.enqueue({ kind: 'error', error })
    this.#events.onArrived(state)
  }

  #retryLater(state: PartitionState, error: Error): void {
    const waitMs = backoffMs(state.failures++, this.#settings.fetchBackoff)
    state.notBefore = performance.now() + waitMs
    const what = `fetching ${state.name}`
    const { logger } = this.#cluster.options
    reportRetry(logger, { what, attempt: state.failures, waitMs, error })
    if (suggestsNewMetadata(error) || isStaleEpoch(error)) void this.#refresh(state)
  }

  /** If it fails there is nobody to fetch from, and the next look finds that. */
  async #refresh(state: PartitionState): Promise<void> {
    const { topic, jumps } = state
    try {
      await this.#cluster.refresh(topic)
    } catch {
      return
    }
    const errorCode = this.#cluster.known(topic)?.errorCode ?? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    if (!isUnknownTopic(errorCode)) return
    if (!state.isAssigned || state.isStopped || state.jumps !== jumps || this.#isStopped) return
    const deletion = denied(state, this.#cluster, this.#settings.fetchBackoff)
    if (deletion !== undefined) this.#end(state, deletion)
  }

  #lookAgainAt(time: number, now: number): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (time === Infinity) return
    this.#timer = setTimeout(() => this.pump(), Math.max(0, time - now))
  }
}
