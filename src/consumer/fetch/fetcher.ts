import { fetch, type FetchResponse } from '../../../protocol/apis/fetch.ts'
import { ErrorCode } from '../../../protocol/errors.ts'
import { readBatches } from '../../../protocol/records/read-batches.ts'
import { backoffMs } from '../../async/backoff.ts'
import { Deadline } from '../../async/deadline.ts'
import { addTo } from '../../cluster/add-to.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import { reportRetry } from '../../cluster/retry.ts'
import {
  BrokerError,
  CorruptBatchError,
  isRetriable,
  LeaderNotFoundError,
  NoOffsetError,
  suggestsNewMetadata,
  TopicRecreatedError,
  UnknownTopicError,
} from '../../errors.ts'
import type { Broker } from '../../network/broker.ts'
import { FrameMemory } from '../../network/frame-memory.ts'
import { positionChannel, type PositionEvent } from '../../observe/channels.ts'
import { listOffsets } from '../list-offsets.ts'
import type { ConsumerSettings } from '../options.ts'
import type { PartitionState } from '../partition-state.ts'
import { AbortedTransactions } from './aborted-transactions.ts'
import { endOfEpoch } from './end-of-epoch.ts'
import {
  fetchedPartitions,
  fetchRequest,
  maxFetchVersion,
  usesTopicIds,
  type FetchedPartition,
} from './fetch-request.ts'
import { keyOf, type PartitionToFetch } from './fetch-session.ts'
import { Lease } from './lease.ts'
import { Source, type Poll } from './source.ts'

/** The largest batch asked for where brokers cut at a limit: none takes a message as large. */
const LARGEST_FETCH_BYTES = 0x3fffffff
/** All partitions of a response together. */
const MAX_RESPONSE_BYTES = 50 * 1024 * 1024
/** An application that took something so recently is about to make room in a full buffer. */
const RECENTLY_MS = 1_000
/** A topic that the cluster does not know so often in a row was deleted. */
const UNKNOWN_TOPIC_RETRIES = 10

export type FetchSettings = Pick<
  ConsumerSettings<unknown, unknown>,
  | 'resetTo'
  | 'isReadCommitted'
  | 'skipCorrupt'
  | 'reuseMemory'
  | 'fetchMessageMaxBytes'
  | 'fetchMinBytes'
  | 'fetchWaitMaxMs'
  | 'fetchBackoff'
  | 'numConsumerFetchers'
  | 'queuedMaxBytes'
  | 'queuedMaxMessages'
  | 'clientRack'
>

/** A partition that is part of a request, and what was asked for it. */
interface Asked {
  readonly state: PartitionState
  readonly toFetch: PartitionToFetch
  readonly jumps: number
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
  readonly #onArrived: (state: PartitionState) => void
  readonly #sources = new Map<Broker, Source[]>()
  readonly #frameMemory: FrameMemory | undefined
  #timer: NodeJS.Timeout | undefined
  #lastTaken = -Infinity
  /** As much is buffered as may be: nothing is asked for until the application has taken some of it. */
  #isFull = false
  #isStopped = false

  constructor(
    cluster: Cluster,
    settings: FetchSettings,
    onArrived: (state: PartitionState) => void,
  ) {
    this.#cluster = cluster
    this.#settings = settings
    this.#onArrived = onArrived
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
      if (!this.#hasRoom(state)) awaited.add(source)
      else if (source.poll !== undefined) source.cutIfLong(this.#settings.fetchWaitMaxMs)
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
      state.fetchOffset < state.endOffset
    )
  }

  #hasRoom(state: PartitionState): boolean {
    return (
      state.bufferedBytes < this.#settings.fetchMessageMaxBytes &&
      state.bufferedMessages < this.#settings.queuedMaxMessages
    )
  }

  /** Half of what there may be is for what has arrived, and half for what is on its way. */
  get #mayBufferBytes(): number {
    return this.#settings.queuedMaxBytes / 2
  }

  /** Those that are paused or failed keep what they have, and must not keep the others from being fetched. */
  #bufferedBytes(): number {
    let bytes = 0
    for (const state of this.#states) {
      if (state.isHandedOver && state.error === undefined) bytes += state.bufferedBytes
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
      const errorCode = known?.errorCode ?? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
      const error = isUnknownTopic(errorCode)
        ? new BrokerError(errorCode, `fetching ${name}`, { topic, partition })
        : new LeaderNotFoundError(`${name} has no leader`, { topic, partition })
      this.#fail(state, error)
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
    state.preparation = 'validating'
    void this.#prepare(state, () => this.#validate(state, ofLeader))
    return false
  }

  #leaderEpoch({ topic, partition }: PartitionState): number {
    const partitions = this.#cluster.known(topic)?.partitions
    return partitions?.find((one) => one.partition === partition)?.leaderEpoch ?? -1
  }

  async #fetch(
    source: Source,
    states: readonly PartitionState[],
    maxBytes: number,
    isAwaited: boolean,
  ): Promise<void> {
    const { fetchWaitMaxMs, fetchMinBytes, isReadCommitted, clientRack } = this.#settings
    const maxWaitMs = source.maxWaitMs(fetchWaitMaxMs, fetchMinBytes, isAwaited)
    const poll: Poll = { maxWaitMs, isCut: false }
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
      if (source.session.answered(response.errorCode, response.sessionId)) return
      if (response.errorCode !== ErrorCode.NONE) {
        throw new BrokerError(response.errorCode, 'fetching', { broker: source.broker.name })
      }
      this.#takeApart(response, asked, byId, source)
    } catch (error) {
      source.session.lost()
      if (this.#isStopped || poll.isCut) return
      for (const { state } of asked) {
        state.preferredUntil = 0
        if (state.isAssigned) this.#fail(state, error as Error)
      }
    } finally {
      source.poll = undefined
      for (const { state } of asked) state.isFetching = false
      this.pump()
    }
  }

  #ask(state: PartitionState): Asked {
    state.isFetching = true
    const { topic, partition, fetchOffset: offset, maxBytes, jumps } = state
    const topicId = this.#cluster.known(topic)?.topicId
    state.topicId ??= topicId
    const leaderEpoch = this.#leaderEpoch(state)
    return { state, jumps, toFetch: { topic, topicId, partition, offset, maxBytes, leaderEpoch } }
  }

  #takeApart(
    response: FetchResponse,
    asked: readonly Asked[],
    byId: boolean,
    source: Source,
  ): void {
    const fetched = fetchedPartitions(response, byId)
    let bytes = 0
    for (const { records } of fetched.values()) bytes += records?.length ?? 0
    source.emptyAnswers = bytes === 0 ? source.emptyAnswers + 1 : 0
    const lease = this.#leaseOf(fetched)
    lease?.hold()
    for (const { state, toFetch, jumps } of asked) {
      const one = fetched.get(keyOf(toFetch, byId))
      // What was asked for before it was given up, or moved, is not what is wanted any more.
      if (one === undefined || !state.isAssigned || state.jumps !== jumps) continue
      this.#handle(state, one, source.broker, lease)
      this.#onArrived(state)
    }
    lease?.letGo()
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
    state.highWatermark = Number(fetched.highWatermark)
    state.lastStableOffset = Number(fetched.lastStableOffset)
    if (records === null || records.length === 0) return
    this.#states.delete(state)
    this.#states.add(state)
    const data = Buffer.from(records.buffer, records.byteOffset, records.length)
    const aborted = this.#settings.isReadCommitted
      ? new AbortedTransactions(fetched.abortedTransactions ?? [])
      : undefined
    const { batches, cutOffBytes, error, damagedAt } = readBatches(data, state)
    for (const batch of batches) {
      const isLeftOut = aborted?.includes(batch) === true || batch.control
      if (batch.lastOffset < state.fetchOffset) continue
      lease?.hold()
      state.enqueue({ kind: 'batch', batch, from: state.fetchOffset, isLeftOut, lease })
      state.fetchOffset = batch.lastOffset + 1
      state.fetchEpoch = batch.leaderEpoch
    }
    if (error !== undefined) this.#handleDamage(state, data, damagedAt, error)
    else if (batches.length === 0 && cutOffBytes > 0) {
      // Brokers before KIP-74 (0.10.1) cut even the first batch off: ask for all of it.
      state.maxBytes = Math.min(LARGEST_FETCH_BYTES, Math.max(cutOffBytes, state.maxBytes * 2))
    }
  }

  #handleDamage(state: PartitionState, data: Buffer, damagedAt: number, cause: Error): void {
    const damage = new CorruptBatchError(state.topic, state.partition, state.fetchOffset, cause)
    if (!this.#settings.skipCorrupt) {
      state.enqueue({ kind: 'error', error: damage })
      return
    }
    const next = behindDamage(data, damagedAt, state.fetchOffset)
    this.#cluster.options.logger.warn(
      `${damage.message}; going on at offset ${next} instead of ${state.fetchOffset}`,
    )
    state.fetchFrom(next)
  }

  #handleError(state: PartitionState, errorCode: number, broker: Broker): void {
    const isPreferred = state.preferredUntil > performance.now()
    state.preferredUntil = 0
    if (errorCode === ErrorCode.OFFSET_OUT_OF_RANGE) {
      // A follower may be behind: what the leader says counts.
      if (isPreferred) return
      if (this.#settings.resetTo === 'none') {
        this.#end(state, outOfRange(state))
        return
      }
      state.preparation = 'resetting'
      void this.#prepare(state, () => this.#reset(state))
      return
    }
    const { topic, partition, name } = state
    const context = { topic, partition, broker: broker.name }
    this.#fail(state, new BrokerError(errorCode, `fetching ${name}`, context))
  }

  /**
   * Does what has to be done before the partition can be fetched. If it fails, only this one waits. What
   * the state was moved to meanwhile stays.
   */
  async #prepare(state: PartitionState, run: () => Promise<void>): Promise<void> {
    const { jumps } = state
    try {
      await run()
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

  /** The position is not in the log (any more): goes on where autoOffsetReset says. */
  async #reset(state: PartitionState): Promise<void> {
    const { topic, partition, jumps, fetchOffset: from } = state
    const { resetTo, isReadCommitted } = this.#settings
    const spec = resetTo === 'latest' ? 'latest' : 'earliest'
    const { operationTimeoutMs, logger } = this.#cluster.options
    const deadline = new Deadline(operationTimeoutMs)
    const found = await listOffsets(
      this.#cluster,
      topic,
      [partition],
      spec,
      deadline,
      isReadCommitted,
    )
    const to = found.get(partition) ?? 0
    if (!state.isAssigned || state.jumps !== jumps) return
    const what = `${state.name} has no offset ${from} (any more): it is read on at ${to}, the ${spec}`
    logger.warn(what)
    tell({ topic, partition, from, to, reason: 'out-of-range' })
    if (state.chunk === undefined && state.queue.length === 0) state.moveTo(to)
    else state.fetchFrom(to)
  }

  /** Finds out whether a new leader has what was read: what it has not is lost, and read anew. */
  async #validate(state: PartitionState, ofLeader: number): Promise<void> {
    const { topic, partition, jumps, fetchEpoch: ofPosition } = state
    const leader = this.#cluster.leaderOf(topic, partition)
    if (leader === undefined) throw new LeaderNotFoundError(`${state.name} has no leader`, state)
    const { requestTimeoutMs, logger } = this.#cluster.options
    const found = await endOfEpoch(leader, state, { ofLeader, ofPosition }, requestTimeoutMs)
    if (!state.isAssigned || state.jumps !== jumps) return
    if (found === undefined || found.endOffset >= state.fetchOffset) {
      state.validEpoch = ofLeader
      return
    }
    if (found.endOffset < 0) {
      // Nothing of that epoch or before is left: as if the offset were out of range.
      if (this.#settings.resetTo === 'none') this.#end(state, outOfRange(state))
      else await this.#reset(state)
      return
    }
    const { endOffset: to, leaderEpoch } = found
    const { position } = state
    if (to < position) {
      logger.warn(
        `${state.name} lost the messages from offset ${to} up to ${position}, which had been read, with its former leader: it is read on at ${to}`,
      )
      tell({ topic, partition, from: position, to, reason: 'truncated' })
      state.moveTo(to, leaderEpoch)
      this.#onArrived(state)
    } else {
      state.refetch()
    }
    state.validEpoch = ofLeader
  }

  #fail(state: PartitionState, error: Error): void {
    const isUnknown = error instanceof BrokerError && isUnknownTopic(error.errorCode)
    if (isUnknown && state.failures >= UNKNOWN_TOPIC_RETRIES) {
      const { topic, partition } = state
      const known = this.#cluster.known(topic)
      const isThere = known?.partitions.some((one) => one.partition === partition)
      const what = isThere === true ? `the broker does not know ${state.name}` : `it was deleted`
      const message = `topic '${topic}' cannot be read on: ${what}`
      this.#end(state, new UnknownTopicError(message, { topic, partition, cause: error }))
    } else if (isRetriable(error)) {
      this.#retryLater(state, error)
    } else {
      this.#end(state, error)
    }
  }

  /** The application is told once it has been given what is queued. */
  #end(state: PartitionState, error: Error): void {
    state.enqueue({ kind: 'error', error })
    this.#onArrived(state)
  }

  #retryLater(state: PartitionState, error: Error): void {
    const waitMs = backoffMs(state.failures++, this.#settings.fetchBackoff)
    state.notBefore = performance.now() + waitMs
    const what = `fetching ${state.name}`
    const { logger } = this.#cluster.options
    reportRetry(logger, { what, attempt: state.failures, waitMs, error })
    if (suggestsNewMetadata(error) || isStaleEpoch(error)) {
      // If it fails there is nobody to fetch from, and the next look finds that.
      this.#cluster.refresh(state.topic).catch(() => undefined)
    }
  }

  #lookAgainAt(time: number, now: number): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (time === Infinity) return
    this.#timer = setTimeout(() => this.pump(), Math.max(0, time - now))
  }
}

function isUnknownTopic(errorCode: number): boolean {
  return (
    errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION ||
    errorCode === ErrorCode.UNKNOWN_TOPIC_ID ||
    errorCode === ErrorCode.INCONSISTENT_TOPIC_ID
  )
}

/** The broker knows of a newer leader than the metadata does, or of an older one. */
function isStaleEpoch(error: Error): boolean {
  return error instanceof BrokerError && error.errorCode === ErrorCode.UNKNOWN_LEADER_EPOCH
}

function outOfRange(state: PartitionState): NoOffsetError {
  const { name, fetchOffset } = state
  const message = `${name} has no offset ${fetchOffset} (any more), and autoOffsetReset is 'none'`
  return new NoOffsetError(message, fetchOffset, state)
}

function tell(event: PositionEvent): void {
  if (positionChannel.hasSubscribers) positionChannel.publish(event)
}

/** Where the batch behind the damaged one begins, as far as the damaged one's length can be believed. */
function behindDamage(data: Buffer, damagedAt: number, offset: number): number {
  const next =
    damagedAt + 12 + (damagedAt + 12 <= data.length ? data.readInt32BE(damagedAt + 8) : 0)
  const follows = next > damagedAt + 12 && next + 8 <= data.length
  const nextOffset = follows ? Number(data.readBigInt64BE(next)) : -1
  // The last one in the response: the one behind it is asked for, and so on, until something whole comes.
  return Number.isSafeInteger(nextOffset) && nextOffset > offset ? nextOffset : offset + 1
}
