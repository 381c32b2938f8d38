import { ErrorCode } from '../../protocol/errors.ts'
import { backoffMs } from '../async/backoff.ts'
import { Deadline } from '../async/deadline.ts'
import { deferred, type Deferred } from '../async/deferred.ts'
import { appendTo } from '../cluster/append-to.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { BrokerError, ClosedError, isRetriable, KafkaError } from '../errors.ts'
import type { Broker } from '../network/broker.ts'
import { ResponseTooLarge } from '../network/frame-size.ts'
import type { GroupMetrics } from '../observe/metrics/client-metrics.ts'
import { asError, textOfThrown } from '../observe/thrown.ts'
import { nameOf, type TopicPartition } from '../consumer/topic-partition.ts'
import { readAcquired } from './acquired-records.ts'
import { lockLost } from './errors.ts'
import type { HeldRecord } from './held-record.ts'
import type { AcquiredPartition } from './acquired-partition.ts'
import type { ShareConsumerSettings } from './options.ts'
import type { AcknowledgementResults } from './acknowledgement-results.ts'
import { sessionKeyOf, type SessionPartition } from './share-session.ts'
import type { ShareFetchedPartition, ShareFetched, ShareSource } from './share-source.ts'
import { ShareSources } from './share-sources.ts'
import { isOfTopic, TopicErrors } from './topic-errors.ts'

export interface ShareFetchSettings extends Pick<
  ShareConsumerSettings,
  'fetchWaitMaxMs' | 'fetchMinBytes' | 'fetchMaxBytes' | 'decompressedBatchMaxBytes'
> {
  readonly group: string
  readonly memberId: string
  readonly topics: readonly string[]
  readonly metrics: GroupMetrics
}

/** The room that the application has for records. */
export interface Demand {
  /** The number of records; 0 for none. */
  readonly records: number
  /** True if no more than this number may be acquired. */
  readonly isExact: boolean
}

export interface ShareFetcherEvents {
  readonly demand: () => Demand
  readonly onRecords: (records: readonly HeldRecord[], lockMs: number) => void
  /** Called with an error that the application has to handle, while everything else continues. */
  readonly onProblem: (error: Error) => void
  /** Called when nothing can be fetched any more. */
  readonly onFailed: (error: Error) => void
}

interface Wanted extends SessionPartition, TopicPartition {
  notBefore: number
  failures: number
}

/**
 * How long acknowledgements wait for others if no fetch carries them: a loop that accepts its messages one by one
 * must not send a request for each.
 */
const ACKNOWLEDGE_AFTER_MS = 50
/**
 * How long a broker may wait for messages in two cases: the application has open messages of this broker, whose
 * acknowledgements have to wait for the response; or there is not enough room to fetch from all brokers at once.
 */
const SHORT_WAIT_MS = 100
const NOTHING_WANTED: ReadonlyMap<ShareSource, readonly Wanted[]> = new Map()

/**
 * Fetches from the leaders of the assigned partitions when the application has room, and sends acknowledgements. It
 * fetches only what the application requests, because locks run from the broker's response on.
 */
export class ShareFetcher {
  readonly #cluster: Cluster
  readonly #settings: ShareFetchSettings
  readonly #events: ShareFetcherEvents
  readonly #sources: ShareSources
  readonly #errors = new TopicErrors()
  #assigned: readonly SessionPartition[] = []
  /** The assigned partitions whose topic names are known. */
  #wanted = new Map<string, Wanted>()
  /** For callers that wait until everything is acknowledged. */
  #flushed: Deferred<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #isPumping = false
  #isLookingUp = false
  readonly #stopping = new AbortController()
  #state: 'fetching' | 'acknowledging' | 'stopped' = 'fetching'

  constructor(
    cluster: Cluster,
    settings: ShareFetchSettings,
    outcomes: AcknowledgementResults,
    events: ShareFetcherEvents,
  ) {
    this.#cluster = cluster
    this.#settings = settings
    this.#events = events
    const { group, memberId } = settings
    const { requestTimeoutMs, backoff, metrics } = cluster.options
    this.#sources = new ShareSources(() => cluster.brokers, {
      group,
      memberId,
      metrics: metrics.consumer(group),
      requestTimeoutMs,
      outcomes,
      backoff,
      onAcknowledgements: () => this.pump(),
    })
  }

  get assignment(): readonly TopicPartition[] {
    return [...this.#wanted.values()].map(({ topic, partition }) => ({ topic, partition }))
  }

  /** The records that are neither acknowledged nor lost. */
  get openRecords(): readonly HeldRecord[] {
    return [...this.#sources].flatMap(({ acquired }) =>
      [...acquired].flatMap(({ openRecords }) => openRecords),
    )
  }

  /** Looks up the topics before they are assigned: an assignment contains only their ids. */
  learnTopics(): void {
    this.#refresh(this.#settings.topics)
  }

  assign(partitions: readonly SessionPartition[]): void {
    this.#assigned = partitions
    if (!this.#resolve()) void this.#lookUp()
    this.pump()
  }

  /** Stops reading until the next assignment, and gives back the records that the application has not received. */
  unassign(): void {
    const now = performance.now()
    for (const record of this.openRecords) {
      if (record.state !== 'waiting') continue
      if (record.lockedUntil > now) record.owner.acknowledge(record, 'release')
      else record.owner.lose(record, lockLost(record.message, 'the lock expired'))
    }
    this.assign([])
  }

  /** Sends the due requests at the end of the turn. Called when something may have changed. */
  pump(): void {
    if (this.#isPumping || this.#state === 'stopped') return
    this.#isPumping = true
    queueMicrotask(() => {
      this.#isPumping = false
      if (this.#state !== 'stopped') this.#pump()
    })
  }

  /** Sends all acknowledgements. Resolves when all are answered. */
  flush(): Promise<void> {
    if (this.#isClean()) return Promise.resolve()
    this.#flushed ??= deferred()
    this.pump()
    return this.#flushed.promise
  }

  /** Stops fetching; acknowledgements continue. */
  stopFetching(): void {
    this.#state = 'acknowledging'
    this.#stopping.abort()
    // A request that waits for messages would delay acknowledgements. A session without open records or
    // acknowledgements is no longer needed.
    for (const source of this.#sources) {
      const holds = source.hasOpenRecords || source.hasAcknowledgements || source.isAcknowledging
      if (source.isBusy && !holds) source.hangUp()
    }
  }

  /** Closes the sessions with the last acknowledgements. Never throws: a failure is reported as an outcome. */
  async closeSessions(): Promise<void> {
    await this.flush()
    this.#state = 'stopped'
    clearTimeout(this.#timer)
    await Promise.all(
      [...this.#sources].map(async (source) => {
        if (!source.hasSession) return
        await source.acknowledge(true).catch((error: unknown) => this.#log(error))
      }),
    )
  }

  /** Closes all connections, with their requests. */
  stop(): void {
    this.#state = 'stopped'
    this.#stopping.abort()
    clearTimeout(this.#timer)
    for (const source of this.#sources) source.hangUp()
    this.#flushed?.reject(new ClosedError('share consumer'))
    this.#flushed = undefined
  }

  #pump(): void {
    const now = performance.now()
    if (this.#state === 'fetching') this.#reportMetadata()
    const wanted = this.#state === 'fetching' ? this.#wantedBySource(now) : NOTHING_WANTED
    const demand =
      this.#state === 'fetching' ? this.#events.demand() : { records: 0, isExact: false }
    let room = demand.records
    // Without an exact limit, the member may acquire this many from each broker: the long poll of a broker without messages must not stop
    // the others.
    if (demand.isExact) for (const { asked } of this.#sources) room -= asked
    const ready = [...this.#sources].filter((source) => !source.isBusy && source.notBefore <= now)
    let idle = ready.filter((source) => (wanted.get(source)?.length ?? 0) > 0).length
    const isNarrow = demand.isExact && room < idle
    for (const source of ready) {
      const partitions: readonly Wanted[] = wanted.get(source) ?? []
      let records = 0
      if (partitions.length > 0 && room > 0) {
        records = demand.isExact ? Math.ceil(room / idle) : demand.records
      }
      if (partitions.length > 0) idle--
      const isFetch = this.#next(source, partitions, { ...demand, records }, isNarrow)
      if (isFetch && demand.isExact) room -= records
    }
    if (this.#flushed !== undefined && this.#isClean()) {
      this.#flushed.resolve()
      this.#flushed = undefined
    }
    this.#lookAgain(now)
  }

  /** Sends the next request to a broker, if there is one. Returns true if it is a fetch. */
  #next(
    source: ShareSource,
    wanted: readonly Wanted[],
    demand: Demand,
    isNarrow: boolean,
  ): boolean {
    const isFetch = demand.records > 0
    const now = performance.now()
    const hasDue = source.dueAt <= now
    const isDue =
      hasDue && (this.#flushed !== undefined || now - source.waitingSince >= ACKNOWLEDGE_AFTER_MS)
    if (hasDue && source.hasSession) {
      const isNow = source.needsAcknowledge(wanted)
        ? isFetch || isDue || source.hasRenewals
        : !isFetch && isDue
      if (isNow) {
        void this.#run(source, () => source.acknowledge())
        return false
      }
    }
    // Only a fetch opens a session, and it cannot carry acknowledgements; if no records are wanted, it is a fetch of
    // no partitions.
    if (!isFetch && !(isDue && !source.hasSession)) return false
    const { fetchWaitMaxMs, fetchMinBytes, fetchMaxBytes } = this.#settings
    const longestWaitMs = isNarrow || source.hasOpenRecords ? SHORT_WAIT_MS : Infinity
    source.asked = demand.records
    void this.#run(source, async () => {
      const fetched = await source.fetch(isFetch ? wanted : [], {
        maxWaitMs: isFetch ? Math.min(fetchWaitMaxMs, longestWaitMs) : 0,
        minBytes: fetchMinBytes,
        maxBytes: fetchMaxBytes,
        maxRecords: Math.max(1, demand.records),
        shareAcquireMode: demand.isExact ? 1 : 0,
      })
      this.#received(fetched)
    })
    return true
  }

  async #run(source: ShareSource, send: () => Promise<void>): Promise<void> {
    source.isBusy = true
    try {
      await send()
      source.failures = 0
    } catch (error) {
      if (this.#state !== 'stopped') this.#failed(source, error)
    } finally {
      source.isBusy = false
      source.asked = 0
      this.pump()
    }
  }

  #received({ partitions, lockMs, lockedFrom }: ShareFetched): void {
    const { metrics } = this.#settings
    const all: HeldRecord[] = []
    let bytes = 0
    for (const { partition, fetched } of partitions) {
      if (fetched !== undefined && fetched.errorCode !== ErrorCode.NONE) {
        this.#partitionFailed(partition, fetched)
        continue
      }
      this.#errors.solved(partition.key)
      if (fetched !== undefined && fetched.acquiredRecords.length > 0) {
        const records = this.#acquire(partition, fetched, lockedFrom + lockMs)
        const fetchedBytes = fetched.records?.length ?? 0
        partition.counted.fetchedMessages += records.length
        partition.counted.fetchedBytes += fetchedBytes
        bytes += fetchedBytes
        for (const record of records) all.push(record)
      }
    }
    if (bytes > 0) metrics.fetchBytes.record(bytes)
    if (all.length === 0) return
    metrics.share.fetchMessages.record(all.length)
    this.#events.onRecords(all, lockMs)
  }

  #acquire(
    partition: AcquiredPartition,
    { records, acquiredRecords }: ShareFetchedPartition,
    lockedUntil: number,
  ): readonly HeldRecord[] {
    const ranges = acquiredRecords
      .map(({ firstOffset, lastOffset, deliveryCount }) => ({
        first: Number(firstOffset),
        last: Number(lastOffset),
        deliveryCount,
      }))
      .sort((a, b) => a.first - b.first)
    const { decompressedBatchMaxBytes } = this.#settings
    const acquired = readAcquired(partition, records, ranges, decompressedBatchMaxBytes)
    if (acquired.error !== undefined) this.#events.onProblem(acquired.error)
    const wanted = this.#wanted.get(partition.key)
    if (wanted !== undefined) wanted.failures = 0
    return partition.acquire(ranges, acquired, lockedUntil)
  }

  #partitionFailed(
    partition: AcquiredPartition,
    { errorCode, errorMessage }: ShareFetchedPartition,
  ): void {
    const { topic, partition: number, key } = partition
    const what = `fetching from ${nameOf(partition)}`
    const error = new BrokerError(errorCode, what, { topic, partition: number }, errorMessage)
    const wanted = this.#wanted.get(key)
    if (wanted !== undefined) {
      wanted.notBefore =
        performance.now() + backoffMs(wanted.failures++, this.#cluster.options.backoff)
    }
    if (error.invalidMetadata || errorCode === ErrorCode.UNKNOWN_LEADER_EPOCH) {
      // Another broker leads the partition, or the name belongs to another topic. The records of this broker are void:
      // the new leader delivers them again.
      partition.loseWaiting(`${nameOf(partition)} has another leader`)
      this.#refresh([topic])
      this.#log(error)
    } else if (wanted !== undefined && (isOfTopic(errorCode) || !error.retriable)) {
      if (this.#errors.isNew(key, topic, errorCode)) this.#events.onProblem(error)
    } else this.#log(error)
  }

  /** Reports the errors that the metadata has for topics as a whole. Other errors are temporary. */
  #reportMetadata(): void {
    for (const topic of this.#settings.topics) {
      const source = `metadata of ${topic}`
      const errorCode = this.#cluster.known(topic)?.errorCode ?? ErrorCode.NONE
      if (!isOfTopic(errorCode)) this.#errors.solved(source)
      else if (this.#errors.isNew(source, topic, errorCode)) {
        this.#events.onProblem(new BrokerError(errorCode, `looking up topic '${topic}'`, { topic }))
      }
    }
  }

  #failed(source: ShareSource, error: unknown): void {
    const { backoff } = this.#cluster.options
    const code = error instanceof BrokerError ? error.errorCode : undefined
    // A session that the broker has dropped is opened again at once; if the broker has no room for a session, later.
    const isOver =
      code === ErrorCode.SHARE_SESSION_NOT_FOUND || code === ErrorCode.INVALID_SHARE_SESSION_EPOCH
    const waitMs = isOver && source.failures === 0 ? 0 : backoffMs(source.failures, backoff)
    source.failures++
    source.notBefore = performance.now() + waitMs
    this.#log(error)
    if (code === undefined) this.#refresh(this.#settings.topics)
    // The broker delivers the records again, until the group archives them: only the application can raise the limit.
    const isTooLarge = error instanceof Error && error.cause instanceof ResponseTooLarge
    if (isTooLarge && source.failures === 1) this.#events.onProblem(error)
    if (isRetriable(error)) return
    if (code === ErrorCode.UNSUPPORTED_VERSION || !(error instanceof KafkaError)) {
      this.#events.onFailed(asError(error))
    } else if (source.failures === 1) this.#events.onProblem(error)
  }

  #wantedBySource(now: number): Map<ShareSource, Wanted[]> {
    const found = new Map<ShareSource, Wanted[]>()
    const leaderless = new Set<string>()
    for (const one of this.#wanted.values()) {
      if (one.notBefore > now) continue
      const broker = this.#leaderOf(one)
      if (broker === undefined) {
        one.notBefore = now + backoffMs(one.failures++, this.#cluster.options.backoff)
        leaderless.add(one.topic)
        continue
      }
      appendTo(found, this.#sources.of(broker, this.#wanted), one)
    }
    this.#refresh([...leaderless])
    return found
  }

  #leaderOf({ topic, topicId, partition }: Wanted): Broker | undefined {
    const isKnown = this.#cluster.known(topic)?.topicId === topicId
    return isKnown ? this.#cluster.leaderOf(topic, partition) : undefined
  }

  /** Looks up the names of the assigned topics. Returns false if some names are not known yet. */
  #resolve(): boolean {
    const names = new Map<string, string>()
    for (const topic of this.#settings.topics) {
      const id = this.#cluster.known(topic)?.topicId
      if (id !== undefined) names.set(id, topic)
    }
    const before = this.#wanted
    this.#wanted = new Map()
    for (const one of this.#assigned) {
      const topic = names.get(one.topicId)
      if (topic === undefined) continue
      const key = sessionKeyOf(one)
      const wanted = { ...one, topic, notBefore: 0, failures: 0 }
      this.#wanted.set(key, before.get(key) ?? wanted)
    }
    for (const key of before.keys()) if (!this.#wanted.has(key)) this.#errors.solved(key)
    this.#sources.tidy(this.#wanted)
    return this.#wanted.size === this.#assigned.length
  }

  /** The coordinator may assign a topic before the client's metadata contains it, or its new id. */
  async #lookUp(): Promise<void> {
    if (this.#isLookingUp) return
    this.#isLookingUp = true
    const { backoff } = this.#cluster.options
    for (let attempt = 0; this.#state === 'fetching' && !this.#resolve(); attempt++) {
      try {
        await Promise.all(this.#settings.topics.map((topic) => this.#cluster.refresh(topic)))
      } catch (error) {
        this.#log(error)
      }
      if (this.#resolve()) break
      const waitMs = backoffMs(attempt, backoff)
      await new Deadline(waitMs, this.#stopping.signal).sleep(waitMs).catch(() => undefined)
    }
    this.#isLookingUp = false
    this.pump()
  }

  #refresh(topics: readonly string[]): void {
    for (const topic of topics) {
      this.#cluster.refresh(topic).then(
        () => {
          this.#resolve()
          this.pump()
        },
        (error: unknown) => this.#log(error),
      )
    }
  }

  /** True if nothing has to be acknowledged, and no acknowledgement is in flight. */
  #isClean(): boolean {
    for (const source of this.#sources) {
      if (source.hasAcknowledgements || source.isAcknowledging) return false
    }
    return true
  }

  #lookAgain(now: number): void {
    clearTimeout(this.#timer)
    let next = Infinity
    for (const source of this.#sources) {
      if (source.isBusy) continue
      if (source.notBefore > now) next = Math.min(next, source.notBefore)
      else {
        const gathered =
          this.#flushed === undefined ? source.waitingSince + ACKNOWLEDGE_AFTER_MS : now
        next = Math.min(next, Math.max(gathered, source.dueAt))
      }
    }
    for (const { notBefore } of this.#wanted.values()) {
      if (notBefore > now) next = Math.min(next, notBefore)
    }
    this.#timer =
      next === Infinity ? undefined : setTimeout(() => this.pump(), Math.max(1, next - now))
  }

  #log(error: unknown): void {
    const { group } = this.#settings
    this.#cluster.options.logger.debug(`share group '${group}': ${textOfThrown(error)}`)
  }
}
