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
import type { Reader, RebalanceHooks } from './reader.ts'

/** After a failure nothing is tried again sooner, whatever happens: many members must not chase one another. */
const SHORTEST_WAIT_MS = 20

export interface MachineOptions extends RebalanceSettings {
  readonly reader: Reader
  readonly hooks: RebalanceHooks
  readonly logger: Logger
  /** Notified of each phase that begins, and of what is owned then. */
  readonly onPhase?: (phase: Phase, owned: readonly TopicPartition[]) => void
}

/**
 * One member of a group: runs the phases (phases.ts) one after the other, each with its one step below.
 *
 * What is never to happen, and why it can't: a partition is read only between the step that started it and the
 * moment it is stopped. It is started only after the coordinator granted it, it is released only after it was stopped,
 * and `lost` stops it before it returns. What happens to a process that is not even running, the coordinator's
 * `ownedUntil` decides when it runs again.
 */
export class RebalanceMachine<Kind extends Coordinator = Coordinator> {
  readonly #coordinator: Kind
  readonly #options: MachineOptions
  #phase: Phase = 'idle'
  /** What the coordinator granted and was not given back. */
  readonly #owned = new PartitionSet()
  /** What of it was given to the application and is being read. */
  readonly #started = new PartitionSet()
  /** What is being given up: its hook is called already, whatever is lost of it meanwhile. */
  #givingUp = new PartitionSet()
  /** What this round is to end with. */
  #target = new PartitionSet()
  #lost: TopicPartition[] = []
  /** What was lost while a claim was under way: its answer does not count for these. */
  #lostWhileClaiming = { isAll: false, partitions: new PartitionSet() }
  #isChanged = false
  #incomplete: KafkaError | undefined
  #failures = 0
  #failure: KafkaError | undefined
  #isEnding = false
  /** Aborted by what ends a step that waits: closing, failing permanently. */
  readonly #ending = new AbortController()
  /** Aborted when what the application is processing is not waited for any more, as close() must end in time. */
  readonly #unprocessed = new AbortController()
  /** Aborted when nothing at all is waited for any more. */
  readonly #overdue = new AbortController()
  /** After this time a round that failed is not tried again for start(). */
  #startUntil = Infinity
  /** Ends a sleep. */
  #wake: (() => void) | undefined
  /** While a caller waits for start(). */
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

  /** What is owned and read. */
  get assignment(): readonly TopicPartition[] {
    return [...this.#started]
  }

  /** Whether what is started may be delivered and committed at this moment. */
  get mayDeliver(): boolean {
    return performance.now() < this.#coordinator.ownedUntil
  }

  /** Whether what was delivered of it may be committed at this moment. */
  mayCommit(partition: TopicPartition): boolean {
    return this.#owned.has(partition) && this.mayDeliver
  }

  /**
   * Joins the group. Resolves when everything that this member is to own is owned and read, which may be
   * nothing. Throws why that could not be, after all retries, after `retryMs` or where a retry does not help, and
   * ClosedError.
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
   * aborted; what is left to do is then begun and not waited for. Safe to call again, at any time.
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

  /** What is done in a phase. An error leaves the round incomplete. */
  async #step(phase: Phase): Promise<void> {
    const coordinator = this.#coordinator
    const { signal } = this.#ending
    switch (phase) {
      case 'surrendering':
        this.#incomplete = undefined
        await this.#giveUp(coordinator.givenUpBeforeJoining([...this.#owned]))
        return
      case 'joining':
        // Whatever changed up to here, joining takes into account.
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

  /** Stop, hook, commit, release: in this order, so that the next owner continues at the committed offset. */
  async #giveUp(partitions: readonly TopicPartition[]): Promise<void> {
    if (partitions.length === 0) return
    const { reader, rebalanceTimeoutMs } = this.#options
    // What was not read yet, or whose release failed before, has neither hook nor commit.
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

  /** The application's last chance: to finish, and to commit, which counts as long as ownership is certain. */
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
    // Before the hook: what it was called for and is lost meanwhile, the hook for lost partitions is called for.
    for (const partition of owned) this.#started.add(partition)
    await this.#bounded('the hook for assigned partitions', () => hooks.assigned(owned))
    reader.start(this.#stillOwned(owned))
  }

  async #callLostHook(): Promise<void> {
    const lost = this.#lost
    this.#lost = []
    await this.#bounded('the hook for lost partitions', () => this.#options.hooks.lost(lost))
  }

  /** Until it is time to try again, or something changes; the application is told when it has failed too often. */
  async #wait(): Promise<void> {
    const { rebalanceMaxRetries, rebalanceBackoffMs, logger } = this.#options
    const reason = this.#incomplete
    const isStartOver = this.#starting !== undefined && performance.now() >= this.#startUntil
    const isToBeTold = this.#failures + 1 >= rebalanceMaxRetries || isStartOver
    if (isToBeTold && reason !== undefined) {
      this.#failures = 0
      // A caller that waits for start() gets the error there, and no caller gets it twice.
      if (!this.#rejectStart(reason)) this.#report(reason)
    }
    // Others need a moment to let go, and mostly no more than that: the first retry comes at once, as in pykafka.
    const waitMs = Math.max(SHORTEST_WAIT_MS, this.#failures * rebalanceBackoffMs)
    logger.info(`${this.#described()}: tries again in ${waitMs} ms: ${reason?.message ?? ''}`)
    await delay(SHORTEST_WAIT_MS)
    const isWoken = await this.#sleep(waitMs - SHORTEST_WAIT_MS)
    // Something changed: that is no failure of this member's.
    if (!isWoken) this.#failures++
  }

  async #leave(): Promise<void> {
    const owned = [...this.#owned]
    try {
      await this.#giveUp(owned)
    } catch (error) {
      this.#options.logger.warn(`${this.#described()}: ${textOfThrown(error)}`)
    }
    // Also where giving back failed: the session ends, and with it all that is left.
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

  /** Runs what may be the application's own code: an error that it throws, or an endless wait, delays nothing else. */
  async #bounded(what: string, run: (signal: AbortSignal) => Promise<void> | void): Promise<void> {
    try {
      await this.#limited(this.#options.rebalanceTimeoutMs, async (signal) => run(signal))
    } catch (error) {
      this.#report(new RebalanceError(what, error))
    }
  }

  /** Waits for so long, and not longer than close() may take. It is run in any case: hooks have more to do than commit. */
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

  /** Resolves with whether something happened before the time was over. */
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
    return `${this.#coordinator.name}, member ${this.#coordinator.memberId}`
  }
}
