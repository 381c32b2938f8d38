import type { Broker } from '../../network/broker.ts'
import { FetchSession } from './fetch-session.ts'

/** A request that is in flight. */
export interface Poll {
  readonly maxWaitMs: number
  /** Set when it is ended for a partition that it leaves out and that must not wait for so long. */
  isCut: boolean
}

/**
 * A consumer that finds nothing asks twice a second for ever, which is most of what an idle client costs. After
 * so many empty answers in a row the long poll becomes longer: it ends with the first message all the same.
 */
const QUIET_AFTER_ANSWERS = 4
const QUIET_WAIT_MS = 5_000
/** A poll that leaves out partitions whose buffers were full is not to keep them waiting once there is room. */
const SHORT_WAIT_MS = 20

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

  hangUp(): void {
    this.broker.hangUp('fetch', this.lane)
  }
}
