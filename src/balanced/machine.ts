import { setTimeout as delay } from 'node:timers/promises'
import { abortable } from '../async/abortable.ts'
import type { Deadline } from '../async/deadline.ts'
import { deferred, type Deferred } from '../async/deferred.ts'
import { limited, TookTooLongError } from '../async/limited.ts'
import { PROCESSING_SHARE } from '../consumer/processing.ts'
import type { TopicPartition } from '../consumer/topic-partition.ts'
import { ClosedError, KafkaError, RequestTimeoutError } from '../errors.ts'
import type { Logger } from '../observe/logger.ts'
import { textOfThrown } from '../observe/thrown.ts'
import type { Coordinator, CoordinatorFactory } from './coordinator.ts'
import { PartitionOwnedError, RebalanceError } from './errors.ts'
import { namesOf, PartitionSet } from './partitions.ts'
import { nextPhase, type Phase } from './phases.ts'
import type { RebalanceSettings } from './options.ts'
import type { MemberReader, RebalanceHooks } from './member-reader.ts'

/** The shortest wait before a retry, whatever happens: many members must not trigger each other's retries. */
const SHORTEST_WAIT_MS = 20

export interface MachineOptions extends RebalanceSettings {
  readonly reader: MemberReader
  readonly hooks: RebalanceHooks
  readonly logger: Logger
  /** Called when a phase begins, with the partitions that are owned then. */
  readonly onPhase?: (phase: Phase, owned: readonly TopicPartition[]) => void
}

/**
 * One member of a group: runs the phases (phases.ts) one after another; the methods below have one step for each.
 *
 * A partition is never read before the coordinator has granted it or after it was released, for these reasons: it is
 * read only between the step that starts it and the moment when it is stopped; it is started only after the
 * coordinator granted it; it is released only after it was stopped; and `lost` stops it before it returns. For a
 * process that was suspended, the coordinator's `ownedUntil` decides when the process runs again.
 */
export class RebalanceMachine<Kind extends Coordinator = Coordinator> {
  readonly #coordinator: Kind
  readonly #options: MachineOptions
  #phase: Phase = 'idle'
  /** The partitions that the coordinator granted and that were not released. */
  readonly #owned = new PartitionSet()
  /** The owned partitions that the application knows of and that are being read. */
  readonly #started = new PartitionSet()
  /** The partitions that are being given up. Their hook is already called, even if they are lost in the meantime. */
  #givingUp = new PartitionSet()
  /** The partitions to own at the end of this round. */
  #target = new PartitionSet()
  #lost: TopicPartition[] = []
  /** The partitions that were lost while a claim was running: its result does not count for them. */
  #lostWhileClaiming = { isAll: false, partitions: new PartitionSet() }
  #isChanged = false
  #incomplete: KafkaError | undefined
  #failures = 0
  #failure: KafkaError | undefined
  #isEnding = false
  /** Aborted when the machine is closed or fails permanently, which ends a step that waits. */
  readonly #ending = new AbortController()
  /** Aborted when the machine stops waiting for the application's processing, because close() must end in time. */
  readonly #unprocessed = new AbortController()
  /** Aborted when the machine stops waiting for anything. */
  readonly #overdue = new AbortController()
  /** After this time a failed round is not retried for start(). */
  #startUntil = Infinity
  /** Ends a sleep. */
  #wake: (() => void) | undefined
  /** Set while a caller waits for start(). */
  #starting: Deferred<void> | undefined
  #running: Promise<void> | undefined

  constructor(makeCoordinator: CoordinatorFactory<Kind>, options: MachineOptions) {
    this.#options = options
    this.#coordinator = makeCoordinator({
      changed: (reason) => this.#onChanged(reason),
      lost: (reason, partitions) => this.#onLost(reason, partitions),
      renewed: () => options.reader.resume(),
      failed: (reason) => this.#end(reason),
      problem: (error) => this.#report(error),
    })
  }

  get coordinator(): Kind {
    return this.#coordinator
  }

  get phase(): Phase {
    return this.#phase
  }

  /** The partitions that are owned and read. */
  get assignment(): readonly TopicPartition[] {
    return [...this.#started]
  }

  /** True if started partitions may be delivered and committed at this moment. */
  get mayDeliver(): boolean {
    return performance.now() < this.#coordinator.ownedUntil
  }

  /** True if delivered messages of the partition may be committed at this moment. */
  mayCommit(partition: TopicPartition): boolean {
    return this.#owned.has(partition) && this.mayDeliver
  }

  /**
   * Joins the group. Resolves when this member owns and reads all partitions that it has to own, which may be none.
   * Throws the reason if that fails after all retries, after `retryMs`, or if a retry does not help; and ClosedError.
   */
  start(retryMs = Infinity): Promise<void> {
    if (this.#isEnding) return Promise.reject(this.#failure ?? new ClosedError('consumer'))
    if (this.#phase === 'settled') return Promise.resolve()
    this.#startUntil = performance.now() + retryMs
    this.#starting ??= deferred()
    const { promise } = this.#starting
    this.#running ??= this.#run()
    return promise
  }

  /**
   * Gives up everything, with hook and commit, and leaves. All its waits end with the deadline, or when its signal is
   * aborted; the remaining steps are then started but not awaited. Safe to call again, at any time.
   */
  async close({ remainingMs, timeoutMs, signal }: Deadline): Promise<void> {
    this.#end(undefined)
    const late = new TookTooLongError(timeoutMs)
    const timers = [
      // The rest of the time is for hook, commit and leaving.
      setTimeout(() => this.#unprocessed.abort(late), remainingMs * PROCESSING_SHARE),
      setTimeout(() => this.#overdue.abort(late), remainingMs),
    ]
    const onAbort = () => this.#overdue.abort(signal?.reason)
    signal?.addEventListener('abort', onAbort)
    if (signal?.aborted === true) onAbort()
    this.#running ??= this.#run()
    try {
      await this.#running
    } finally {
      for (const timer of timers) clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
    }
  }

  async #run(): Promise<void> {
    while (this.#phase !== 'closed') {
      this.#phase = nextPhase(this.#phase, {
        isIncomplete: this.#incomplete !== undefined,
        isChanged: this.#isChanged,
        hasLost: this.#lost.length > 0,
        isEnding: this.#isEnding,
      })
      this.#options.onPhase?.(this.#phase, [...this.#owned])
      try {
        await this.#step(this.#phase)
      } catch (error) {
        this.#onStepFailed(error)
      }
    }
  }

  /** Runs the step of a phase. An error leaves the round incomplete. */
  async #step(phase: Phase): Promise<void> {
    const coordinator = this.#coordinator
    const { signal } = this.#ending
    switch (phase) {
      case 'surrendering':
        this.#incomplete = undefined
        await this.#giveUp(coordinator.givenUpBeforeJoining([...this.#owned]))
        return
      case 'joining':
        // Joining takes all changes up to here into account.
        this.#isChanged = false
        this.#target = new PartitionSet(await coordinator.join([...this.#owned], signal))
        return
      case 'yielding':
        await this.#giveUp(this.#owned.without(this.#target))
        return
      case 'claiming':
        await this.#claim(this.#target.without(this.#owned))
        return
      case 'starting':
        await this.#startReading(this.#owned.without(this.#started))
        return
      case 'settled':
        this.#failures = 0
        this.#starting?.resolve()
        this.#starting = undefined
        await this.#sleep(Infinity)
        return
      case 'waiting':
        await this.#wait()
        return
      case 'losing':
        await this.#callLostHook()
        return
      case 'leaving':
        await this.#leave()
        return
      case 'idle':
      case 'closed':
        return
    }
  }

  /**
   * Stops, calls the hook, commits, and releases: in this order, so that the next owner continues at the committed
   * offset.
   */
  async #giveUp(partitions: readonly TopicPartition[]): Promise<void> {
    if (partitions.length === 0) return
    const { reader, rebalanceTimeoutMs } = this.#options
    // Partitions that were not read yet, or whose release failed before, need neither hook nor commit.
    const read = partitions.filter((partition) => this.#started.has(partition))
    this.#givingUp = new PartitionSet(partitions)
    try {
      if (read.length > 0) {
        const processed = reader.hold(read)
        for (const partition of read) this.#started.delete(partition)
        await this.#bounded('waiting until messages are processed', () =>
          abortable(Promise.resolve(processed), this.#unprocessed.signal),
        )
        await this.#revoke(read)
      }
      reader.stop(partitions)
      const releasing = this.#stillOwned(partitions)
      if (releasing.length === 0) return
      await this.#limited(rebalanceTimeoutMs, (signal) =>
        this.#coordinator.release(releasing, signal),
      )
      for (const partition of releasing) this.#owned.delete(partition)
    } finally {
      this.#givingUp = new PartitionSet()
    }
  }

  /** The last chance of the application to finish and to commit, which counts as long as ownership is certain. */
  async #revoke(read: readonly TopicPartition[]): Promise<void> {
    const { reader, hooks } = this.#options
    if (!this.mayDeliver) {
      await this.#bounded('the hook for lost partitions', () => hooks.lost(read))
      return
    }
    await this.#bounded('the hook for revoked partitions', () => hooks.revoked(read))
    await this.#bounded('the commit before partitions are given up', async (signal) => {
      const owned = this.#stillOwned(read)
      if (this.mayDeliver && owned.length > 0) await reader.commit(owned, signal)
    })
  }

  #stillOwned(partitions: readonly TopicPartition[]): TopicPartition[] {
    return partitions.filter((partition) => this.#owned.has(partition))
  }

  async #claim(partitions: readonly TopicPartition[]): Promise<void> {
    if (partitions.length === 0) return
    this.#lostWhileClaiming = { isAll: false, partitions: new PartitionSet() }
    const { claimed, heldByOthers } = await this.#coordinator.claim(partitions, this.#ending.signal)
    const lost = this.#lostWhileClaiming
    if (lost.isAll) return
    for (const partition of claimed) {
      if (!lost.partitions.has(partition)) this.#owned.add(partition)
    }
    if (heldByOthers.length > 0) this.#incomplete = new PartitionOwnedError(heldByOthers)
  }

  async #startReading(partitions: readonly TopicPartition[]): Promise<void> {
    if (partitions.length === 0) return
    const { reader, hooks } = this.#options
    await reader.prepare(partitions, this.#ending.signal)
    const owned = this.#stillOwned(partitions)
    // Set before the hook runs: if a partition is lost while its hook runs, the hook for lost partitions is called
    // for it.
    for (const partition of owned) this.#started.add(partition)
    await this.#bounded('the hook for assigned partitions', () => hooks.assigned(owned))
    reader.start(this.#stillOwned(owned))
  }

  async #callLostHook(): Promise<void> {
    const lost = this.#lost
    this.#lost = []
    await this.#bounded('the hook for lost partitions', () => this.#options.hooks.lost(lost))
  }

  /**
   * Waits until it is time to retry, or something changes. After too many failures it reports the error to the
   * application.
   */
  async #wait(): Promise<void> {
    const { rebalanceMaxRetries, rebalanceBackoffMs, logger } = this.#options
    const reason = this.#incomplete
    const isStartOver = this.#starting !== undefined && performance.now() >= this.#startUntil
    const mustReport = this.#failures + 1 >= rebalanceMaxRetries || isStartOver
    if (mustReport && reason !== undefined) {
      this.#failures = 0
      // A caller that waits for start() gets the error there. No caller gets it twice.
      if (!this.#rejectStart(reason)) this.#report(reason)
    }
    // Others need a moment to release, and usually no more than that: the first retry comes at once, as in pykafka.
    const waitMs = Math.max(SHORTEST_WAIT_MS, this.#failures * rebalanceBackoffMs)
    logger.info(`${this.#described()}: tries again in ${waitMs} ms: ${reason?.message ?? ''}`)
    await delay(SHORTEST_WAIT_MS)
    const isWoken = await this.#sleep(waitMs - SHORTEST_WAIT_MS)
    // If something changed, this member has not failed.
    if (!isWoken) this.#failures++
  }

  async #leave(): Promise<void> {
    const owned = [...this.#owned]
    try {
      await this.#giveUp(owned)
    } catch (error) {
      this.#options.logger.warn(`${this.#described()}: ${textOfThrown(error)}`)
    }
    // Also if giving partitions back failed: the session ends, and everything that is left ends with it.
    this.#options.reader.stop(owned)
    for (const partition of owned) this.#owned.delete(partition)
    await this.#left()
    if (this.#failure !== undefined) this.#options.reader.fail(this.#failure)
    this.#rejectStart(this.#failure ?? new ClosedError('consumer'))
  }

  async #left(): Promise<void> {
    try {
      await abortable(this.#coordinator.leave(), this.#overdue.signal)
    } catch (error) {
      if (!this.#overdue.signal.aborted) throw error
      this.#options.logger.warn(`${this.#described()}: closed before it joined the group`)
    }
  }

  #onStepFailed(error: unknown): void {
    if (this.#isEnding) return
    const reason = this.#reasonOf(error)
    this.#incomplete = reason
    if (!reason.retriable) this.#end(reason)
  }

  #reasonOf(error: unknown): KafkaError {
    if (error instanceof KafkaError) return error
    const what = `${this.#described()}: ${this.#phase}`
    return error instanceof TookTooLongError
      ? new RequestTimeoutError(`${what}: ${error.message}`, { cause: error })
      : new RebalanceError(what, error)
  }

  #onChanged(reason: string): void {
    this.#options.logger.debug(`${this.#described()}: ${reason}`)
    this.#isChanged = true
    this.#wake?.()
  }

  #onLost(reason: KafkaError, partitions?: readonly TopicPartition[]): void {
    const lost = partitions === undefined ? [...this.#owned] : this.#stillOwned(partitions)
    this.#options.reader.stop(lost)
    const hasHook = lost.filter((one) => this.#started.has(one) && !this.#givingUp.has(one))
    for (const partition of lost) {
      this.#owned.delete(partition)
      this.#started.delete(partition)
    }
    if (partitions === undefined) this.#lostWhileClaiming.isAll = true
    for (const partition of partitions ?? []) this.#lostWhileClaiming.partitions.add(partition)
    this.#options.logger.warn(`${this.#described()}: lost ${namesOf(lost)}: ${reason.message}`)
    this.#lost = this.#lost.concat(hasHook)
    this.#isChanged = true
    this.#wake?.()
  }

  #end(failure: KafkaError | undefined): void {
    if (this.#isEnding) return
    this.#isEnding = true
    this.#failure = failure
    this.#ending.abort(failure ?? new ClosedError('consumer'))
    this.#wake?.()
  }

  /** Runs code that may be the application's: an error that it throws, or an endless wait, delays nothing else. */
  async #bounded(what: string, run: (signal: AbortSignal) => Promise<void> | void): Promise<void> {
    try {
      await this.#limited(this.#options.rebalanceTimeoutMs, async (signal) => run(signal))
    } catch (error) {
      this.#report(new RebalanceError(what, error))
    }
  }

  /**
   * Waits for at most this time, and no longer than close() may take. `run` is called in any case: hooks do more than
   * commit.
   */
  async #limited(timeoutMs: number, run: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const { signal } = this.#overdue
    if (signal.aborted) await abortable(run(signal), signal)
    else await limited(timeoutMs, signal, (ending) => abortable(run(ending), ending))
  }

  #report(error: KafkaError): void {
    this.#options.logger.error(`${this.#described()}: ${error.message}`)
    this.#options.reader.report(error)
  }

  /** Rejects start() if a caller waits for it. Returns false otherwise. */
  #rejectStart(error: KafkaError): boolean {
    const starting = this.#starting
    this.#starting = undefined
    starting?.reject(error)
    return starting !== undefined
  }

  /** Resolves with true if something happened within the time. */
  async #sleep(waitMs: number): Promise<boolean> {
    if (this.#isChanged || this.#isEnding) return true
    const woken = deferred<boolean>()
    this.#wake = () => woken.resolve(true)
    const timer = waitMs === Infinity ? undefined : setTimeout(() => woken.resolve(false), waitMs)
    const isWoken = await woken.promise
    clearTimeout(timer)
    this.#wake = undefined
    return isWoken
  }

  #described(): string {
    const { name, memberId } = this.#coordinator
    return memberId === '' ? name : `${name}, member ${memberId}`
  }
}
