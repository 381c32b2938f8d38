import { backoffMs } from '../../async/backoff.ts'
import type { Broker } from '../../network/broker.ts'
import { FetchSession } from './fetch-session.ts'
import type { FetchSettings } from './settings.ts'

/** A request that is in flight. */
export interface Poll {
  readonly maxWaitMs: number
  /** By `performance.now()`. */
  readonly began: number
  /** Set when it is ended for a partition that it leaves out and that must not wait for so long. */
  isCut: boolean
}

/**
 * A consumer that finds nothing asks twice a second for ever, which is most of what an idle client costs. After
 * this many empty answers in a row the long poll becomes longer: it ends with the first message all the same.
 */
const QUIET_AFTER_ANSWERS = 4
const QUIET_WAIT_MS = 5_000
/** A poll that leaves out partitions whose buffers were full is not to keep them waiting once there is room. */
const SHORT_WAIT_MS = 20
/** This many empty responses in a row before their time, or refusals of the session, and the next request waits. */
const HASTY_RESPONSES = 3

let nextLane = 0

/** A broker to fetch from, on a connection of its own: one request in flight, and a session. */
export class Source {
  readonly broker: Broker
  readonly session = new FetchSession()
  /** Brokers answer a connection's requests one by one: see RequestOptions. */
  readonly lane = nextLane++
  poll: Poll | undefined
  /** How many answers in a row had nothing in them. */
  emptyAnswers = 0
  /** The application knows why no connection can be had. */
  isReported = false
  /** How many responses in a row came before their time and brought nothing. */
  #hasty = 0
  /** No request before this time: the broker's responses lead no further. */
  notBefore = 0

  constructor(broker: Broker) {
    this.broker = broker
  }

  /** How long the next request may wait for messages; `isAwaited`: the application is about to make room. */
  maxWaitMs(fetchWaitMaxMs: number, fetchMinBytes: number, isAwaited: boolean): number {
    if (isAwaited) return Math.min(fetchWaitMaxMs, SHORT_WAIT_MS)
    const isQuiet = this.emptyAnswers >= QUIET_AFTER_ANSWERS
    // Where less than fetchMinBytes may be there, fetchWaitMaxMs is when the application gets it.
    return isQuiet && fetchMinBytes <= 1 ? Math.max(fetchWaitMaxMs, QUIET_WAIT_MS) : fetchWaitMaxMs
  }

  /** Ends a poll that would wait for long: the next asks for the partition that it leaves out, too. */
  cutIfLong(fetchWaitMaxMs: number): void {
    const { poll } = this
    if (poll === undefined || poll.isCut || poll.maxWaitMs <= fetchWaitMaxMs) return
    poll.isCut = true
    this.emptyAnswers = 0
    this.hangUp()
  }

  /**
   * Ends a poll for a partition whose reader waits, such as after a seek, unless it has only just begun: then it may
   * be answered any moment. Returns when to look again. A cut costs a new connection, a response does not.
   */
  cutSoon(now: number): number {
    const { poll } = this
    if (poll === undefined || poll.isCut) return Infinity
    const cutAt = poll.began + SHORT_WAIT_MS
    if (cutAt > now) return cutAt
    poll.isCut = true
    this.emptyAnswers = 0
    this.hangUp()
    return Infinity
  }

  /** Takes note of a response. A broker that answers at once with nothing, again and again, is asked less often. */
  answered(
    what: 'records' | 'empty' | 'session-over',
    tookMs: number,
    { fetchBackoff, fetchMinBytes }: Pick<FetchSettings, 'fetchBackoff' | 'fetchMinBytes'>,
  ): void {
    if (what !== 'session-over') this.emptyAnswers = what === 'empty' ? this.emptyAnswers + 1 : 0
    this.isReported = false
    const { maxWaitMs = 0 } = this.poll ?? {}
    // Half of the time is enough for slow clocks; with fetchMinBytes 0 the broker is not to wait.
    const isHasty =
      what === 'session-over' || (what === 'empty' && fetchMinBytes > 0 && tookMs < maxWaitMs / 2)
    this.#hasty = isHasty ? this.#hasty + 1 : 0
    const attempt = this.#hasty - HASTY_RESPONSES
    this.notBefore = attempt < 0 ? 0 : performance.now() + backoffMs(attempt, fetchBackoff)
  }

  hangUp(): void {
    this.broker.hangUp('fetch', this.lane)
  }
}
