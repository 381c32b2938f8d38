/**
 * Fetch sessions (KIP-227): the broker remembers the partitions that a client fetches, and the
 * client sends only changes.
 */
import { randomInt } from 'node:crypto'
import type { ErrorName } from '../../../protocol/errors.ts'

/** The client's request for one partition. */
export interface FetchPartition {
  /** Empty if the request names topics by id. */
  readonly topic: string
  /** Undefined if the request names topics by name. */
  readonly topicId: string | undefined
  readonly partition: number
  readonly fetchOffset: number
  readonly maxBytes: number
  readonly currentLeaderEpoch: number
}

interface CachedPartition {
  wanted: FetchPartition
  /** The values that the client received last. */
  highWatermark: number
  logStartOffset: number
}

export interface FetchSession {
  readonly id: number
  /** The epoch that the next request must have. */
  nextEpoch: number
  readonly usesTopicIds: boolean
  readonly partitions: Map<string, CachedPartition>
}

export interface FetchRequestShape {
  readonly sessionId: number
  readonly sessionEpoch: number
  readonly usesTopicIds: boolean
  readonly partitions: readonly FetchPartition[]
  readonly forgotten: readonly Pick<FetchPartition, 'topic' | 'topicId' | 'partition'>[]
}

export type FetchContext =
  | { readonly kind: 'refused'; readonly error: ErrorName }
  /** The request names all partitions, and creates no session. */
  | { readonly kind: 'sessionless'; readonly partitions: readonly FetchPartition[] }
  /** The request names all partitions, and creates a session. */
  | {
      readonly kind: 'full'
      readonly partitions: readonly FetchPartition[]
      readonly session: FetchSession
    }
  /** The request contains changes of the session, and the response contains only new data. */
  | {
      readonly kind: 'incremental'
      readonly partitions: readonly FetchPartition[]
      readonly session: FetchSession
    }

/**
 * Special epochs: that of the first request of a session, and that of a request that ends the session or needs none.
 */
const INITIAL_EPOCH = 0
const FINAL_EPOCH = -1
const NO_SESSION = 0
const LAST_EPOCH = 0x7fffffff
const DEFAULT_SLOTS = 1000

export class FetchSessions {
  readonly #sessions = new Map<number, FetchSession>()
  readonly #slots: number

  constructor(slots = DEFAULT_SLOTS) {
    this.#slots = slots
  }

  get size(): number {
    return this.#sessions.size
  }

  open(request: FetchRequestShape): FetchContext {
    const { sessionId, sessionEpoch, partitions } = request
    if (sessionEpoch === INITIAL_EPOCH || sessionEpoch === FINAL_EPOCH) {
      this.#sessions.delete(sessionId)
      return sessionEpoch === FINAL_EPOCH
        ? { kind: 'sessionless', partitions }
        : { kind: 'full', partitions, session: this.#create(request) }
    }
    const session = sessionId === NO_SESSION ? undefined : this.#sessions.get(sessionId)
    if (session === undefined) return { kind: 'refused', error: 'FETCH_SESSION_ID_NOT_FOUND' }
    if (session.usesTopicIds !== request.usesTopicIds) {
      return { kind: 'refused', error: 'FETCH_SESSION_TOPIC_ID_ERROR' }
    }
    if (session.nextEpoch !== sessionEpoch) {
      return { kind: 'refused', error: 'INVALID_FETCH_SESSION_EPOCH' }
    }
    for (const partition of request.forgotten) session.partitions.delete(keyOf(partition))
    for (const partition of partitions) remember(session, partition)
    if (session.partitions.size === 0) {
      this.#sessions.delete(session.id)
      return { kind: 'sessionless', partitions }
    }
    session.nextEpoch = session.nextEpoch === LAST_EPOCH ? 1 : session.nextEpoch + 1
    // The most recently used session is evicted last.
    this.#sessions.delete(session.id)
    this.#sessions.set(session.id, session)
    return { kind: 'incremental', session, partitions: partitionsOf(session) }
  }

  /**
   * The partitions of a session, which are needed to find those that an injected error applies to.
   */
  partitionsOf(sessionId: number): readonly FetchPartition[] {
    const session = this.#sessions.get(sessionId)
    return session === undefined ? [] : partitionsOf(session)
  }

  /** Removes all sessions, as if the broker had run out of slots: clients must start new ones. */
  clear(): void {
    this.#sessions.clear()
  }

  #newId(): number {
    for (;;) {
      const id = randomInt(1, LAST_EPOCH)
      if (!this.#sessions.has(id)) return id
    }
  }

  #create({ usesTopicIds, partitions }: FetchRequestShape): FetchSession {
    if (this.#sessions.size >= this.#slots) {
      const oldest = this.#sessions.keys().next()
      if (oldest.done !== true) this.#sessions.delete(oldest.value)
    }
    const session: FetchSession = {
      id: this.#newId(),
      nextEpoch: 1,
      usesTopicIds,
      partitions: new Map(),
    }
    for (const partition of partitions) remember(session, partition)
    this.#sessions.set(session.id, session)
    return session
  }
}

/** The fields of a response for one partition. */
export interface FetchedPartition {
  readonly wanted: FetchPartition
  readonly errorCode: number
  readonly highWatermark: number
  readonly logStartOffset: number
  readonly records: Uint8Array
}

/**
 * Whether an incremental response must contain the partition: it has records or an error, or one of
 * its offsets moved. Stores what the client receives. Partitions with records move to the end of
 * the queue, so that all get their turn.
 */
export function isNews(session: FetchSession, fetched: FetchedPartition): boolean {
  const key = keyOf(fetched.wanted)
  const cached = session.partitions.get(key)
  if (cached === undefined) return true
  const { highWatermark, logStartOffset, errorCode, records } = fetched
  const news =
    records.length > 0 ||
    errorCode !== 0 ||
    cached.highWatermark !== highWatermark ||
    cached.logStartOffset !== logStartOffset
  cached.highWatermark = errorCode === 0 ? highWatermark : -1
  cached.logStartOffset = logStartOffset
  if (records.length > 0) {
    session.partitions.delete(key)
    session.partitions.set(key, cached)
  }
  return news
}

function partitionsOf({ partitions }: FetchSession): FetchPartition[] {
  return [...partitions.values()].map(({ wanted }) => wanted)
}

function remember(session: FetchSession, wanted: FetchPartition): void {
  const cached = session.partitions.get(keyOf(wanted))
  if (cached === undefined) {
    session.partitions.set(keyOf(wanted), { wanted, highWatermark: -1, logStartOffset: -1 })
  } else {
    cached.wanted = wanted
  }
}

function keyOf(partition: Pick<FetchPartition, 'topic' | 'topicId' | 'partition'>): string {
  return `${partition.partition}:${partition.topicId ?? partition.topic}`
}
