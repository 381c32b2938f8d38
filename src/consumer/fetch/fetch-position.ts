/**
 * The fetch position of a partition and the state of its fetches. Only the modules of fetch/ and `PartitionState`
 * change it.
 */

/**
 * The phase of a position. `idle` positions can be fetched; every other phase ends in `idle`, or when the partition
 * is moved.
 */
export type FetchPhase =
  /** The starting position is not known yet. */
  | 'starting'
  | 'idle'
  /** The partition is part of a request without a response yet. */
  | 'fetching'
  /** The offset is not in the log (or no longer): another one is looked up. */
  | 'resetting'
  /** A new leader is being asked if its log contains what was read (KIP-320). */
  | 'validating'
  /** The log ends before the offset to stop at: the leader is being asked for its end. */
  | 'finding-end'

/** The phases that may follow a phase, apart from a move to another offset, which makes any phase `idle`. */
const NEXT: Readonly<Record<FetchPhase, readonly FetchPhase[]>> = {
  starting: [],
  idle: ['fetching', 'resetting', 'validating', 'finding-end'],
  // The response decides which phase follows.
  fetching: ['idle', 'resetting', 'finding-end'],
  resetting: ['idle'],
  validating: ['idle'],
  'finding-end': ['idle'],
}

/** After responses with smaller batches a position requests less again. */
const LARGE_BATCH_DECAY = 0.9

/** Consecutive responses that deny the partition. */
export interface Denials {
  readonly count: number
  /** The time of the first of them, by `performance.now()`. */
  readonly since: number
}

export class FetchPosition {
  #phase: FetchPhase = 'starting'
  #version = 0
  #offset = 0
  #leaderEpoch = -1
  #validatedEpoch = -1
  #maxBytes: number
  #largeBatchBytes = 0
  #isUrgent = false
  #notBefore = 0
  #waitEpoch = -1
  #failures = 0
  #failedEpoch = -1
  #failuresOfLeader = 0
  #denials: Denials | undefined
  #fruitless = 0
  #highWatermark = -1
  #lastStableOffset = -1
  #preferredReplica = -1
  #preferredUntil = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get phase(): FetchPhase {
    return this.#phase
  }

  /** Grows with every move. The response to a request of an earlier version is dropped. */
  get version(): number {
    return this.#version
  }

  /** The offset that the next fetch requests. */
  get offset(): number {
    return this.#offset
  }

  /** The leader epoch of the last batch before `offset`; −1 if it is not known. */
  get leaderEpoch(): number {
    return this.#leaderEpoch
  }

  /** The leader's epoch in which `offset` was last known to be in the log; −1 for none. */
  get validatedEpoch(): number {
    return this.#validatedEpoch
  }

  /** The number of bytes to request. It grows if one batch is larger and the broker cuts it off. */
  get maxBytes(): number {
    return Math.max(this.#maxBytes, this.#largeBatchBytes)
  }

  /** The size of recent batches that were larger than what was requested; 0 if none were. */
  get largeBatchBytes(): number {
    return this.#largeBatchBytes
  }

  /**
   * The application waits for the first message at a new position: a long poll without this partition is cut short.
   */
  get isUrgent(): boolean {
    return this.#isUrgent
  }

  /** The partition is not fetched before this time: the wait after a failure. */
  get notBefore(): number {
    return this.#notBefore
  }

  /** The epoch of the leader that `notBefore` waits for: the failure was not that of a newer one. */
  get waitEpoch(): number {
    return this.#waitEpoch
  }

  /** The number of consecutive failed attempts, whatever the reason. */
  get failures(): number {
    return this.#failures
  }

  get highWatermark(): number {
    return this.#highWatermark
  }

  get lastStableOffset(): number {
    return this.#lastStableOffset
  }

  /** Fetches from this offset on. Responses to earlier requests are dropped. */
  moveTo(offset: number, leaderEpoch = -1): void {
    this.#version++
    this.#phase = 'idle'
    this.#offset = offset
    this.#leaderEpoch = leaderEpoch
    this.#validatedEpoch = -1
  }

  /**
   * Like `moveTo`, at the request of the application or its group: earlier failures say nothing about the new
   * position.
   */
  startAt(offset: number, leaderEpoch: number): void {
    this.moveTo(offset, leaderEpoch)
    this.#failures = 0
    this.#failedEpoch = -1
    this.#failuresOfLeader = 0
    this.#denials = undefined
    this.#fruitless = 0
    this.#notBefore = 0
    this.#isUrgent = true
  }

  /** A batch up to this offset has arrived. */
  advanceTo(offset: number, leaderEpoch: number): void {
    this.#offset = offset
    this.#leaderEpoch = leaderEpoch
  }

  begin(phase: FetchPhase): void {
    if (!NEXT[this.#phase].includes(phase)) {
      throw new Error(`the fetch position cannot change from '${this.#phase}' to '${phase}'`)
    }
    this.#phase = phase
    if (phase === 'fetching') this.#isUrgent = false
  }

  /** Ends a phase, unless the position was moved or is already in another phase. */
  end(phase: FetchPhase, version: number): void {
    if (this.#version === version && this.#phase === phase) this.#phase = 'idle'
  }

  validated(leaderEpoch: number): void {
    this.#validatedEpoch = leaderEpoch
  }

  hurry(): void {
    this.#isUrgent = true
  }

  askFor(maxBytes: number): void {
    this.#maxBytes = Math.max(this.#maxBytes, maxBytes)
  }

  /**
   * The largest batch of a response has this size. Brokers send a batch that is larger than `maxBytes` only as the
   * first of a response, so that each response would have one partition only. Exactly the size of a batch is requested
   * then: a broker would also send a part of the next one, which is useless.
   */
  sawBatch(bytes: number): void {
    const recent = Math.max(bytes, Math.floor(this.#largeBatchBytes * LARGE_BATCH_DECAY))
    this.#largeBatchBytes = recent > this.#maxBytes ? recent : 0
  }

  /**
   * Counts a failed attempt at the leader of this epoch. Returns the number of consecutive ones before it, with which
   * the wait grows: those of former leaders do not count, as they say nothing about this one.
   */
  failed(leaderEpoch: number): number {
    this.#failures++
    if (leaderEpoch > this.#failedEpoch) {
      this.#failedEpoch = leaderEpoch
      this.#failuresOfLeader = 0
    }
    return this.#failuresOfLeader++
  }

  /** The wait also ends when a newer leader than that of this epoch is known. */
  waitUntil(time: number, leaderEpoch: number): void {
    this.#notBefore = time
    this.#waitEpoch = leaderEpoch
  }

  succeeded(highWatermark: number, lastStableOffset: number): void {
    this.#failures = 0
    this.#failuresOfLeader = 0
    this.#denials = undefined
    this.#highWatermark = highWatermark
    this.#lastStableOffset = lastStableOffset
  }

  /**
   * Counts a response that denied the partition. Returns the earlier ones. Only responses count: an attempt without a
   * response says nothing about the topic.
   */
  denied(now: number): Denials {
    const { count, since } = this.#denials ?? { count: 0, since: now }
    this.#denials = { count: count + 1, since }
    return { count, since }
  }

  notDenied(): void {
    this.#denials = undefined
  }

  /** Counts a response with records but no batch from `offset` on. Returns the number of consecutive ones before it. */
  ledNowhere(): number {
    return this.#fruitless++
  }

  ledFurther(): void {
    this.#fruitless = 0
  }

  /** The leader named a closer replica (KIP-392). */
  prefer(replica: number, until: number): void {
    this.#preferredReplica = replica
    this.#preferredUntil = until
  }

  preferLeader(): void {
    this.#preferredUntil = 0
  }

  /** The replica to fetch from instead of the leader. */
  preferredAt(now: number): number | undefined {
    return this.#preferredUntil > now ? this.#preferredReplica : undefined
  }
}
