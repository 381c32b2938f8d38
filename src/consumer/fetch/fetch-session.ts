/**
 * A fetch session with a broker (KIP-227). The broker remembers the requested partitions, so that a request names
 * only those that changed, and a response contains only what is new. The first request of a session, with epoch 0,
 * names all.
 */
import { ErrorCode } from '../../../protocol/errors.ts'

/** The fields of a fetch request for one partition. */
export interface PartitionToFetch {
  readonly topic: string
  readonly topicId: string | undefined
  readonly partition: number
  readonly offset: number
  readonly maxBytes: number
  readonly leaderEpoch: number
}

export interface SessionRequest {
  readonly sessionId: number
  readonly sessionEpoch: number
  readonly named: readonly PartitionToFetch[]
  readonly forgotten: readonly PartitionToFetch[]
  /** True if topics were identified by ids: a session must use either ids or names throughout. */
  readonly usesTopicIds: boolean
}

const NO_SESSION = 0
const FIRST_EPOCH = 0
/** The epoch of a request that wants no session. */
const LAST_EPOCH = 0x7fffffff

export class FetchSession {
  #id = NO_SESSION
  #epoch = FIRST_EPOCH
  #usesTopicIds = false
  #known = new Map<string, PartitionToFetch>()

  /** Returns the next request. All of `wanted` is to be fetched; the request names what has changed. */
  next(wanted: readonly PartitionToFetch[], usesTopicIds: boolean): SessionRequest {
    if (usesTopicIds !== this.#usesTopicIds) this.#epoch = FIRST_EPOCH
    this.#usesTopicIds = usesTopicIds
    const before = this.#known
    this.#known = new Map(wanted.map((one) => [keyOf(one, usesTopicIds), one]))
    const request = { sessionId: this.#id, sessionEpoch: this.#epoch, usesTopicIds }
    if (this.#epoch === FIRST_EPOCH) return { ...request, named: wanted, forgotten: [] }
    const named: PartitionToFetch[] = []
    for (const [key, one] of this.#known) {
      const known = before.get(key)
      if (known === undefined || !isSame(known, one)) named.push(one)
    }
    const forgotten: PartitionToFetch[] = []
    for (const [key, one] of before) if (!this.#known.has(key)) forgotten.push(one)
    return { ...request, named, forgotten }
  }

  /** Records the result of the request. True: the session is over, and a new one has to be begun. */
  answered(errorCode: number, sessionId: number): boolean {
    if (errorCode !== ErrorCode.NONE) {
      // Only with this error the broker still has the session; beginning a new one closes it.
      if (errorCode !== ErrorCode.INVALID_FETCH_SESSION_EPOCH) this.#id = NO_SESSION
      this.#epoch = FIRST_EPOCH
      return isSessionError(errorCode)
    }
    if (sessionId === NO_SESSION) {
      // The broker has no room for a session, or is too old to support them.
      this.#id = NO_SESSION
      this.#epoch = FIRST_EPOCH
    } else {
      this.#id = sessionId
      this.#epoch = this.#epoch === LAST_EPOCH ? 1 : this.#epoch + 1
    }
    return false
  }

  /** The response was lost. The broker may be one epoch ahead, so the session is begun again. */
  lost(): void {
    this.#epoch = FIRST_EPOCH
  }
}

function isSessionError(errorCode: number): boolean {
  return (
    errorCode === ErrorCode.FETCH_SESSION_ID_NOT_FOUND ||
    errorCode === ErrorCode.INVALID_FETCH_SESSION_EPOCH ||
    errorCode === ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR
  )
}

/** Returns how requests and responses identify a partition: by the topic's id in versions that have ids. */
export function keyOf(
  { topic, topicId, partition }: Pick<PartitionToFetch, 'topic' | 'topicId' | 'partition'>,
  usesTopicIds: boolean,
): string {
  return `${partition}:${usesTopicIds ? topicId : topic}`
}

function isSame(a: PartitionToFetch, b: PartitionToFetch): boolean {
  return a.offset === b.offset && a.maxBytes === b.maxBytes && a.leaderEpoch === b.leaderEpoch
}
