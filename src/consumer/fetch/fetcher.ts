import { fetch } from '../../../protocol/apis/fetch.ts'
import { ErrorCode } from '../../../protocol/errors.ts'
import { appendTo } from '../../cluster/append-to.ts'
import { OVERDUE_MS } from '../../cluster/broker-pool.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import { OverdueWatch } from '../../cluster/overdue-watch.ts'
import { BrokerError, isRetriable, LeaderNotFoundError, TopicRecreatedError } from '../../errors.ts'
import type { Broker } from '../../network/broker.ts'
import { FrameMemory } from '../../network/frame-memory.ts'
import { fetchChannel, type FetchEvent } from '../../observe/channels.ts'
import type { ConsumerMetrics } from '../../observe/metrics/client-metrics.ts'
import { asError } from '../../observe/thrown.ts'
import type { PartitionState } from '../partition-state.ts'
import { BrokerSources } from './broker-sources.ts'
import { isOfConnection } from './failures.ts'
import { FetchBudget, queuedBytes } from './fetch-budget.ts'
import { fetchRequest, maxFetchVersion, usesTopicIds } from './fetch-request.ts'
import { ResponseHandler, type Asked } from './fetch-response.ts'
import { PositionRecovery } from './position-recovery.ts'
import type { FetchSettings } from './settings.ts'
import type { Poll, Source } from './source.ts'
import { WaitingPoll } from './waiting-poll.ts'

/** The limit of a response over all its partitions. */
const MAX_RESPONSE_BYTES = 50 * 1024 * 1024
/** An application that took a message this recently is about to make room in a full buffer. */
const RECENTLY_MS = 1_000

export interface FetcherEvents {
  /** Called when something was put into the queue of a partition, or when the partition was moved. */
  readonly onArrived: (state: PartitionState) => void
  /** Called when no connection to a broker is possible until the configuration is corrected. */
  readonly onProblem: (error: Error) => void
  /**
   * Called when the log has lost messages of a partition that were already read, before the partition is moved back.
   */
  readonly onTruncated: (state: PartitionState) => void
}

/**
 * Keeps one request in flight to each broker, for those of its partitions that have room in their buffers. Call `pump`
 * when something may have changed for many partitions, and `roomMade` when the application took something.
 */
export class Fetcher {
  readonly #cluster: Cluster
  readonly #metrics: ConsumerMetrics
  readonly #settings: FetchSettings
  /** Sorted by fetch order: a partition that got records moves to the end. */
  readonly #states = new Set<PartitionState>()
  readonly #events: FetcherEvents
  readonly #sources = new Map<Broker, BrokerSources>()
  readonly #budget: FetchBudget
  readonly #recovery: PositionRecovery
  readonly #responses: ResponseHandler
  readonly #frameMemory: FrameMemory | undefined
  #timer: NodeJS.Timeout | undefined
  #lastTaken = -Infinity
  /** The buffer is full: nothing is requested until the application has taken something. */
  #isFull = false
  #isStopped = false

  constructor(
    cluster: Cluster,
    settings: FetchSettings,
    events: FetcherEvents,
    metrics: ConsumerMetrics,
  ) {
    this.#cluster = cluster
    this.#metrics = metrics
    this.#settings = settings
    this.#events = events
    const { onArrived, onTruncated } = events
    this.#budget = new FetchBudget(settings.queuedMaxBytes)
    if (settings.reuseMemory) this.#frameMemory = new FrameMemory(this.#mayBufferBytes)
    const onRecovered = () => this.pump()
    this.#recovery = new PositionRecovery(cluster, settings, {
      onArrived,
      onTruncated,
      onRecovered,
    })
    this.#responses = new ResponseHandler({
      cluster,
      settings,
      recovery: this.#recovery,
      metrics,
      frameMemory: this.#frameMemory,
      onArrived,
      onRecords: (state) => this.#onRecords(state),
    })
  }

  add(state: PartitionState): void {
    this.#states.add(state)
  }

  remove(state: PartitionState): void {
    this.#states.delete(state)
    for (const sources of this.#sources.values()) sources.remove(state)
  }

  /** Opens the connections for these partitions, whose positions are looked up meanwhile. */
  connect(states: readonly PartitionState[]): void {
    if (this.#isStopped) return
    const now = performance.now()
    for (const state of states) {
      if (this.#cluster.leaderOf(state.topic, state.partition) === undefined) continue
      this.#sourceOf(state, now)?.connect(this.#frameMemory)
    }
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
      if (this.#recovery.isWaiting(state, now)) {
        nextLook = Math.min(nextLook, state.fetch.notBefore)
        continue
      }
      const source = this.#sourceOf(state, now)
      if (source === undefined) {
        nextLook = Math.min(nextLook, state.fetch.notBefore)
        continue
      }
      if (source.notBefore > now) nextLook = Math.min(nextLook, source.notBefore)
      else if (!this.#hasRoom(state)) awaited.add(source)
      // Also while a poll of other partitions is in flight, so that the next poll can include this one.
      else if (!this.#recovery.isValid(state)) source.connect(this.#frameMemory)
      else if (source.poll !== undefined)
        nextLook = Math.min(nextLook, this.#cut(source, state, now))
      else appendTo(bySource, source, state)
    }
    this.#isFull = bySource.size > 0 && this.#bufferedBytes() >= this.#mayBufferBytes
    if (!this.#isFull) {
      const isBusy = now - this.#lastTaken < RECENTLY_MS
      const share = Math.ceil(this.#mayBufferBytes / this.#sourceCount)
      for (const [source, states] of bySource) {
        const wanted = states.reduce((sum, { fetch }) => sum + fetch.maxBytes, 0)
        const maxBytes = Math.min(MAX_RESPONSE_BYTES, share, wanted)
        void this.#fetch(source, states, maxBytes, isBusy && awaited.has(source))
      }
    }
    this.#lookAgainAt(nextLook, now)
  }

  /** Call this when partitions were paused or given up, whose buffers then no longer count. */
  lessBuffered(): void {
    if (this.#isFull) this.pump()
  }

  /** The application took something: a partition whose buffer was full may be fetched again. */
  roomMade(state: PartitionState): void {
    this.#lastTaken = performance.now()
    if (this.#isFull) {
      if (this.#bufferedBytes() < this.#mayBufferBytes) this.pump()
      return
    }
    if (!this.#isReadable(state) || !this.#hasRoom(state)) return
    for (const sources of this.#sources.values()) {
      for (const { poll } of sources.all) {
        // This source may be the partition's: `pump` checks that.
        if (poll === undefined || poll.maxWaitMs > this.#settings.fetchWaitMaxMs) {
          this.pump()
          return
        }
      }
    }
  }

  stop(): void {
    this.#isStopped = true
    this.#recovery.stop()
    clearTimeout(this.#timer)
    for (const { all } of this.#sources.values()) for (const source of all) source.hangUp()
  }

  #isReadable(state: PartitionState): boolean {
    return (
      state.fetch.phase === 'idle' &&
      state.isDeliverable &&
      !state.buffer.isStopped &&
      (state.fetch.offset < state.endOffset || state.isBeyondEnd)
    )
  }

  /**
   * Ends a poll that leaves the partition out, if the partition must not wait for it. Returns when to check again.
   */
  #cut(source: Source, state: PartitionState, now: number): number {
    if (state.fetch.isUrgent) return source.cutSoon(now)
    source.cutIfLong(this.#settings.fetchWaitMaxMs)
    return Infinity
  }

  #hasRoom(state: PartitionState): boolean {
    const { buffer, fetch } = state
    // One batch that is larger than a fetch leaves room for the next, which the broker can send meanwhile.
    const hasBytes =
      buffer.bytes < this.#settings.fetchMessageMaxBytes || buffer.bytes <= fetch.largeBatchBytes
    return hasBytes && buffer.messages < this.#settings.queuedMaxMessages
  }

  get #sourceCount(): number {
    let count = 0
    for (const { all } of this.#sources.values()) count += all.length
    return count
  }

  get #mayBufferBytes(): number {
    return this.#budget.shareBytes
  }

  /**
   * The buffered bytes, without paused and failed partitions: these keep their buffers but must not stop the fetches
   * of others.
   */
  #bufferedBytes(): number {
    let bytes = 0
    for (const state of this.#states) {
      if (state.isDeliverable && state.buffer.error === undefined) bytes += queuedBytes(state)
    }
    return bytes
  }

  /** Drops the sources of brokers that have left the cluster or changed their address. */
  #forgetGone(): void {
    for (const [broker, sources] of this.#sources) {
      const isCurrent = this.#cluster.brokers.get(broker.nodeId) === broker
      if (!isCurrent && sources.all.every(({ poll }) => poll === undefined))
        this.#sources.delete(broker)
    }
  }

  /** Returns where to fetch a partition: from the closer replica that the leader named, or from the leader. */
  #sourceOf(state: PartitionState, now: number): Source | undefined {
    const known = this.#cluster.known(state.topic)
    if (state.topicId !== undefined && known?.topicId !== undefined) {
      if (state.topicId !== known.topicId) {
        this.#recovery.end(state, new TopicRecreatedError(state.topic, state.partition))
        return undefined
      }
    }
    const replica = state.fetch.preferredAt(now)
    const preferred = replica === undefined ? undefined : this.#cluster.brokers.get(replica)
    const broker = preferred ?? this.#cluster.leaderOf(state.topic, state.partition)
    if (broker === undefined) {
      const { topic, partition, name } = state
      const error = new LeaderNotFoundError(`${name} has no leader`, { topic, partition })
      this.#recovery.retryLater(state, error)
      return undefined
    }
    let sources = this.#sources.get(broker)
    if (sources === undefined) {
      sources = new BrokerSources(broker, this.#settings.numConsumerFetchers)
      this.#sources.set(broker, sources)
    }
    return sources.of(state)
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
    const waiting = new WaitingPoll(this.#cluster, source, asked, began)
    const overdue = new OverdueWatch(this.#cluster, waiting, maxWaitMs + OVERDUE_MS)
    overdue.start()
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
      // An expired session is not a failure: the next request begins a new one.
      if (source.session.answered(response.errorCode, response.sessionId)) {
        source.answered('session-over', performance.now() - began, this.#settings)
        return
      }
      if (response.errorCode !== ErrorCode.NONE) {
        throw new BrokerError(response.errorCode, 'fetching', { broker: source.broker.name })
      }
      const fetched = this.#responses.handle(response, asked, byId, source.broker)
      const { bytes } = fetched
      if (bytes > 0) this.#reportFetch(source.broker, bytes, asked, performance.now() - began)
      source.answered(fetched, performance.now() - began, this.#settings)
    } catch (error) {
      source.session.lost()
      if (this.#isStopped || poll.isCut) return
      this.#report(source, asError(error))
      for (const { state, version, toFetch } of asked) {
        state.fetch.preferLeader()
        if (state.isAssigned && state.fetch.version === version) {
          this.#recovery.fail(state, asError(error), toFetch.leaderEpoch)
        }
      }
    } finally {
      overdue.stop()
      source.poll = undefined
      for (const { state, version } of asked) state.fetch.end('fetching', version)
      this.#sources.get(source.broker)?.adapt()
      this.pump()
    }
  }

  #reportFetch(
    { name: broker }: Broker,
    bytes: number,
    asked: readonly Asked[],
    durationMs: number,
  ): void {
    if (!fetchChannel.hasSubscribers) return
    const { client, group } = this.#metrics
    const { clientId, clusterId } = client
    const topics = [...new Set(asked.map(({ state: { topic } }) => topic))]
    const partitions = asked.length
    const event: FetchEvent = {
      clientId,
      clusterId,
      broker,
      group,
      topics,
      bytes,
      partitions,
      durationMs,
    }
    fetchChannel.publish(event)
  }

  #ask(state: PartitionState): Asked {
    state.fetch.begin('fetching')
    const { topic, partition } = state
    const { offset, maxBytes, version } = state.fetch
    const topicId = this.#cluster.known(topic)?.topicId
    state.topicId ??= topicId
    const leaderEpoch = this.#recovery.leaderEpochOf(state)
    return { state, version, toFetch: { topic, topicId, partition, offset, maxBytes, leaderEpoch } }
  }

  /** Moves the partition to the end of the fetch order, so that others come first in the next response. */
  #onRecords(state: PartitionState): void {
    if (this.#states.delete(state)) this.#states.add(state)
    this.#budget.saw(state)
  }

  /**
   * Reports a refused login or certificate to the application once. The broker is asked again nevertheless, because
   * both can be corrected while the consumer runs.
   */
  #report(source: Source, error: Error): void {
    if (!isOfConnection(error) || isRetriable(error) || source.isReported) return
    source.isReported = true
    this.#events.onProblem(error)
  }

  #lookAgainAt(time: number, now: number): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (time === Infinity) return
    this.#timer = setTimeout(() => this.pump(), Math.max(0, time - now))
  }
}
