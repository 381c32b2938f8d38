/** Where a partition is fetched from, and how that goes. Only the modules of fetch/ and `PartitionState` change it. */

/**
 * What is being done about a position. `idle` ones can be fetched from; every other phase ends in `idle`, or when the
 * partition is moved.
 */
export type FetchPhase =
  /** It is not known yet where the partition begins. */
  | 'starting'
  | 'idle'
  /** Part of a request that was not answered yet. */
  | 'fetching'
  /** The offset is not in the log (any more): another one is looked up. */
  | 'resetting'
  /** A new leader is asked whether its log has what was read (KIP-320). */
  | 'validating'
  /** The log ends before the offset to stop at: the leader is asked for its end. */
  | 'finding-end'

/** What may follow a phase, apart from a move to another offset, which makes any phase `idle`. */
const NEXT: Readonly<Record<FetchPhase, readonly FetchPhase[]>> = {
  starting: [],
  idle: ['fetching', 'resetting', 'validating', 'finding-end'],
  // The response says what has to be done about the position.
  fetching: ['idle', 'resetting', 'finding-end'],
  resetting: ['idle'],
  validating: ['idle'],
  'finding-end': ['idle'],
}

/** Responses in a row that deny the partition. */
export interface Denials {
  readonly count: number
  /** When the first of them came, by `performance.now()`. */
  readonly since: number
}

export class FetchPosition {
  #phase: FetchPhase = 'starting'
  #version = 0
  #offset = 0
  #leaderEpoch = -1
  #validatedEpoch = -1
  #maxBytes: number
  #isUrgent = false
  #notBefore = 0
  #failures = 0
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

  /** Grows with every move: what was asked for in an earlier version is dropped when it comes. */
  get version(): number {
    return this.#version
  }

  /** What the next fetch asks for. */
  get offset(): number {
    return this.#offset
  }

  /** Of the last batch before `offset`; −1 where it is not known. */
  get leaderEpoch(): number {
    return this.#leaderEpoch
  }

  /** The leader's epoch in which `offset` was last known to be in the log; −1 for none. */
  get validatedEpoch(): number {
    return this.#validatedEpoch
  }

  /** How much to ask for: grows where one batch is larger and the broker cuts it off. */
  get maxBytes(): number {
    return this.#maxBytes
  }

  /** The application waits for what comes first from a new position: a long poll that leaves it out is cut short. */
  get isUrgent(): boolean {
    return this.#isUrgent
  }

  /** Not to be fetched before this time: the wait after a failure. */
  get notBefore(): number {
    return this.#notBefore
  }

  /** Attempts in a row that failed, for whatever reason: the wait before the next one grows with them. */
  get failures(): number {
    return this.#failures
  }

  get highWatermark(): number {
    return this.#highWatermark
  }

  get lastStableOffset(): number {
    return this.#lastStableOffset
  }

  /** Fetches from there on. What was asked for before is dropped when it comes. */
  moveTo(offset: number, leaderEpoch = -1): void {
    this.#version++
    this.#phase = 'idle'
    this.#offset = offset
    this.#leaderEpoch = leaderEpoch
    this.#validatedEpoch = -1
  }

  /** The same at the wish of the application or its group: earlier failures say nothing about the new position. */
  startAt(offset: number, leaderEpoch: number): void {
    this.moveTo(offset, leaderEpoch)
    this.#failures = 0
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

  /** Ends a phase, unless the position was moved or is in another phase by now. */
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

  /** Returns how many attempts in a row had failed before. */
  failed(): number {
    return this.#failures++
  }

  waitUntil(time: number): void {
    this.#notBefore = time
  }

  succeeded(highWatermark: number, lastStableOffset: number): void {
    this.#failures = 0
    this.#denials = undefined
    this.#highWatermark = highWatermark
    this.#lastStableOffset = lastStableOffset
  }

  /**
   * A response denied the partition. Returns what had come before. Only responses count: an attempt that gets none
   * says nothing about the topic.
   */
  denied(now: number): Denials {
    const { count, since } = this.#denials ?? { count: 0, since: now }
    this.#denials = { count: count + 1, since }
    return { count, since }
  }

  notDenied(): void {
    this.#denials = undefined
  }

  /** A response had no batch behind `offset`, although it had records. Returns how many in a row had none before. */
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

  /** The replica to fetch from rather than from the leader. */
  preferredAt(now: number): number | undefined {
    return this.#preferredUntil > now ? this.#preferredReplica : undefined
  }
}
