import { backoffMs } from '../../async/backoff.ts'
import type { Broker } from '../../network/broker.ts'
import type { FrameMemory } from '../../network/frame-memory.ts'
import { FetchSession } from './fetch-session.ts'
import type { Fetched } from './fetch-response.ts'
import type { FetchSettings } from './settings.ts'

/** A request that is in flight. */
export interface Poll {
  readonly maxWaitMs: number
  /** When the request began, by `performance.now()`. */
  readonly began: number
  /** Set when the poll is ended for a partition that it leaves out and that must not wait as long as the poll. */
  isCut: boolean
}

/**
 * A consumer without messages polls twice a second, which is most of the cost of an idle client. After this number of
 * consecutive empty responses the long poll becomes longer; it still ends with the first message.
 */
const QUIET_AFTER_ANSWERS = 4
const QUIET_WAIT_MS = 5_000
/**
 * A poll that leaves out partitions with full buffers waits only this long, so that they need not wait once there is
 * room.
 */
const SHORT_WAIT_MS = 20
/**
 * After this number of consecutive empty responses before their time, or refusals of the session, the next request
 * waits.
 */
const HASTY_RESPONSES = 3
/** What makes a response one of large messages. */
const LARGE_RESPONSE_BYTES = 1024 * 1024
const LARGE_MESSAGE_BYTES = 4096

let nextLane = 0

/** A broker to fetch from, on its own connection, with one request in flight and a session. */
export class Source {
  readonly broker: Broker
  readonly session = new FetchSession()
  /** Brokers answer the requests of a connection one by one: see BrokerRequestOptions. */
  readonly lane = nextLane++
  poll: Poll | undefined
  /** The number of partitions that it fetches: written by BrokerSources. */
  partitions = 0
  /** The number of consecutive responses without records. */
  emptyAnswers = 0
  /** The number of consecutive responses of LARGE_RESPONSE_BYTES or more, with large messages. */
  largeResponses = 0
  /** The reason why no connection is possible was reported to the application. */
  isReported = false
  /** The number of consecutive responses that came before their time and brought nothing. */
  #hasty = 0
  /** No request is sent before this time, because the broker's responses brought no progress. */
  notBefore = 0

  constructor(broker: Broker) {
    this.broker = broker
  }

  /** Its long polls are longer, because the last responses were empty. */
  get isQuiet(): boolean {
    return this.emptyAnswers >= QUIET_AFTER_ANSWERS
  }

  /** Returns how long the next request may wait for messages. `isAwaited`: the application is about to make room. */
  maxWaitMs(fetchWaitMaxMs: number, fetchMinBytes: number, isAwaited: boolean): number {
    if (isAwaited) return Math.min(fetchWaitMaxMs, SHORT_WAIT_MS)
    // If fewer than fetchMinBytes may be available, the application gets them after fetchWaitMaxMs.
    return this.isQuiet && fetchMinBytes <= 1
      ? Math.max(fetchWaitMaxMs, QUIET_WAIT_MS)
      : fetchWaitMaxMs
  }

  /** Ends a poll that would wait for long. The next request includes the partition that this one leaves out. */
  cutIfLong(fetchWaitMaxMs: number): void {
    const { poll } = this
    if (poll === undefined || poll.isCut || poll.maxWaitMs <= fetchWaitMaxMs) return
    this.emptyAnswers = 0
    this.cut()
  }

  /** Ends its connection, and the poll that is in flight on it, if there is one. */
  cut(): void {
    if (this.poll !== undefined) this.poll.isCut = true
    this.hangUp()
  }

  /**
   * Ends a poll for a partition whose reader waits, such as after a seek, unless the poll has just begun: then its
   * response may arrive any moment. Returns when to check again. A cut costs a new connection, a response does not.
   */
  cutSoon(now: number): number {
    const { poll } = this
    if (poll === undefined || poll.isCut) return Infinity
    const cutAt = poll.began + SHORT_WAIT_MS
    if (cutAt > now) return cutAt
    this.emptyAnswers = 0
    this.cut()
    return Infinity
  }

  /** Its partitions have changed: the last responses say nothing about the next. */
  startAgain(): void {
    this.partitions = 0
    this.largeResponses = 0
  }

  /**
   * Records a response; 'session-over' if the broker has ended the session. A broker that repeatedly returns empty
   * responses at once gets fewer requests.
   */
  answered(
    fetched: Fetched | 'session-over',
    tookMs: number,
    { fetchBackoff, fetchMinBytes }: Pick<FetchSettings, 'fetchBackoff' | 'fetchMinBytes'>,
  ): void {
    const isEmpty = fetched !== 'session-over' && fetched.bytes === 0
    if (fetched !== 'session-over') {
      this.emptyAnswers = isEmpty ? this.emptyAnswers + 1 : 0
      this.largeResponses = isLarge(fetched) ? this.largeResponses + 1 : 0
    }
    this.isReported = false
    const { maxWaitMs = 0 } = this.poll ?? {}
    // Half of the time allows for slow clocks. With fetchMinBytes 0 the broker does not wait.
    const isHasty =
      fetched === 'session-over' || (isEmpty && fetchMinBytes > 0 && tookMs < maxWaitMs / 2)
    this.#hasty = isHasty ? this.#hasty + 1 : 0
    const attempt = this.#hasty - HASTY_RESPONSES
    this.notBefore = attempt < 0 ? 0 : performance.now() + backoffMs(attempt, fetchBackoff)
  }

  /** Opens the connection before the first request, whose time it would take. The request reports a failure. */
  connect(frameMemory: FrameMemory | undefined): void {
    this.broker.versions('fetch', this.lane, frameMemory).catch(() => undefined)
  }

  hangUp(): void {
    this.broker.hangUp('fetch', this.lane)
  }
}

function isLarge({ bytes, messages }: Fetched): boolean {
  return bytes >= LARGE_RESPONSE_BYTES && bytes >= messages * LARGE_MESSAGE_BYTES
}
