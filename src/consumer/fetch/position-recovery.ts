/**
 * Handles a partition whose position cannot be fetched: the position is reset, validated against a new leader's log,
 * or retried after a wait, or the partition ends with an error that the application gets after the queued messages.
 */
import { ErrorCode } from '../../../protocol/errors.ts'
import { backoffMs } from '../../async/backoff.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import { reportRetry } from '../../cluster/retry.ts'
import {
  BrokerError,
  isRetriable,
  suggestsNewMetadata,
  TopicRecreatedError,
  UnknownTopicError,
} from '../../errors.ts'
import { asError } from '../../observe/thrown.ts'
import type { PartitionState } from '../partition-state.ts'
import { denied, isOfConnection, isStaleEpoch, isUnknownTopic } from './failures.ts'
import type { FetchPhase } from './fetch-position.ts'
import { findEnd, isEndMissing, reset, validate, type RecoveryResult } from './recovery.ts'
import type { FetchSettings } from './settings.ts'

export interface RecoveryEvents {
  /** Called when something was put into the buffer of a partition, or when the partition was moved. */
  readonly onArrived: (state: PartitionState) => void
  /**
   * Called when the log has lost messages of a partition that were already read, before the partition is moved back.
   */
  readonly onTruncated: (state: PartitionState) => void
  /** Called when a position may be fetched again. */
  readonly onRecovered: () => void
}

export class PositionRecovery {
  readonly #cluster: Cluster
  readonly #settings: FetchSettings
  readonly #events: RecoveryEvents
  #isStopped = false

  constructor(cluster: Cluster, settings: FetchSettings, events: RecoveryEvents) {
    this.#cluster = cluster
    this.#settings = settings
    this.#events = events
  }

  stop(): void {
    this.#isStopped = true
  }

  /** Returns the epoch of a partition's leader; −1 if it is not known. */
  leaderEpochOf({ topic, partition }: PartitionState): number {
    return this.#cluster.leaderEpochOf(topic, partition)
  }

  /**
   * True if the position is known to be in the leader's log. For a new leader it starts to validate the position
   * (KIP-320).
   */
  isValid(state: PartitionState): boolean {
    const { fetch } = state
    const ofLeader = this.leaderEpochOf(state)
    if (ofLeader === fetch.validatedEpoch || ofLeader < 0) return true
    if (fetch.leaderEpoch < 0) {
      fetch.validated(ofLeader)
      return true
    }
    void this.#recover(state, 'validating', () =>
      validate(this.#cluster, this.#settings, state, ofLeader),
    )
    return false
  }

  /** Looks up another offset, because the position is not in the log. */
  reset(state: PartitionState): void {
    // A looked-up position that is refused again brings no progress either.
    this.ledNowhere(state, 'the position is not in the log')
    void this.#recover(state, 'resetting', () => reset(this.#cluster, this.#settings, state))
  }

  /** After an empty response: checks if the offset to stop at still exists. */
  checkEnd(state: PartitionState): void {
    if (!isEndMissing(state, this.#settings)) return
    void this.#recover(state, 'finding-end', () => findEnd(this.#cluster, this.#settings, state))
  }

  /** Waits longer each time. The first failure may have a cause that another request resolves, such as a limit. */
  ledNowhere(state: PartitionState, detail: string): void {
    const attempt = state.fetch.ledNowhere()
    if (attempt === 0) return
    const waitMs = backoffMs(attempt - 1, this.#settings.fetchBackoff)
    state.fetch.waitUntil(performance.now() + waitMs, this.leaderEpochOf(state))
    const { topic, partition, name } = state
    const error = new BrokerError(ErrorCode.NONE, `fetching ${name}`, { topic, partition }, detail)
    reportRetry(this.#cluster.options, { what: `fetching ${name}`, attempt, waitMs, error })
  }

  /** Handles an error that a broker returned for a partition. `askedEpoch`: of its leader, in the request. */
  refused(state: PartitionState, errorCode: number, broker: string, askedEpoch: number): void {
    const { topic, partition, name } = state
    const error = new BrokerError(errorCode, `fetching ${name}`, { topic, partition, broker })
    if (isUnknownTopic(errorCode)) {
      const deletion = denied(state, this.#cluster, this.#settings.fetchBackoff)
      if (deletion !== undefined) this.end(state, deletion)
      else this.retryLater(state, error)
    } else {
      state.fetch.notDenied()
      this.fail(state, error, askedEpoch)
    }
  }

  fail(state: PartitionState, error: Error, askedEpoch?: number): void {
    // The broker may have restarted since it last denied the partition.
    if (isOfConnection(error)) state.fetch.notDenied()
    if (isRetriable(error) || isOfConnection(error)) this.retryLater(state, error, askedEpoch)
    else this.end(state, error)
  }

  /** Ends a partition with an error, which the application gets after the queued messages. */
  end(state: PartitionState, error: Error): void {
    if (error instanceof TopicRecreatedError || error instanceof UnknownTopicError) {
      state.lostTopic = error
    }
    state.buffer.enqueue({ kind: 'error', error })
    this.#events.onArrived(state)
  }

  /** The wait after a failure: not while no newer leader is known than the one that failed (KIP-951). */
  isWaiting(state: PartitionState, now: number): boolean {
    const { notBefore, waitEpoch } = state.fetch
    return notBefore > now && !this.#isNewer(state, waitEpoch)
  }

  retryLater(state: PartitionState, error: Error, askedEpoch = this.leaderEpochOf(state)): void {
    const attempt = state.fetch.failed(askedEpoch)
    // The former leader has failed, and the next request goes to another one.
    const isLedElsewhere = this.#isNewer(state, askedEpoch)
    const waitMs = isLedElsewhere ? 0 : backoffMs(attempt, this.#settings.fetchBackoff)
    state.fetch.waitUntil(performance.now() + waitMs, askedEpoch)
    const what = `fetching ${state.name}`
    reportRetry(this.#cluster.options, { what, attempt: state.fetch.failures, waitMs, error })
    if (isLedElsewhere) return
    if (suggestsNewMetadata(error) || isStaleEpoch(error)) void this.#refresh(state)
  }

  /** True if the partition has another leader by now than one of that epoch. */
  #isNewer({ topic, partition }: PartitionState, epoch: number): boolean {
    return this.#cluster.newerLeader(topic, partition, epoch) !== undefined
  }

  /**
   * Runs the recovery that the partition needs before it can be fetched. If it fails, only this partition waits. If
   * the state was moved in the meantime, the move stays.
   */
  async #recover(
    state: PartitionState,
    phase: FetchPhase,
    run: () => Promise<RecoveryResult>,
  ): Promise<void> {
    const { version } = state.fetch
    const askedEpoch = this.leaderEpochOf(state)
    state.fetch.begin(phase)
    try {
      const recovery = await run()
      if (recovery?.kind === 'end') this.end(state, recovery.error)
      if (recovery?.kind === 'truncated') {
        this.#events.onTruncated(state)
        state.moveTo(recovery.to, recovery.leaderEpoch)
      }
      this.#events.onArrived(state)
    } catch (error) {
      if (state.isAssigned && state.fetch.version === version && !this.#isStopped) {
        this.fail(state, asError(error), askedEpoch)
      }
    } finally {
      // The position was found in another way, or has to be looked up again; the next fetch shows which.
      state.fetch.end(phase, version)
      this.#events.onRecovered()
    }
  }

  /** Refreshes the metadata. If this fails there is no broker to fetch from, which the next attempt detects. */
  async #refresh(state: PartitionState): Promise<void> {
    const { topic } = state
    const { version } = state.fetch
    const failedEpoch = this.leaderEpochOf(state)
    try {
      await this.#cluster.refresh(topic)
    } catch {
      return
    }
    if (state.fetch.version !== version || this.#isStopped) return
    if (this.#isNewer(state, failedEpoch)) this.#events.onRecovered()
    const errorCode = this.#cluster.known(topic)?.errorCode ?? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    if (!isUnknownTopic(errorCode)) return
    if (!state.isAssigned || state.buffer.isStopped) return
    const deletion = denied(state, this.#cluster, this.#settings.fetchBackoff)
    if (deletion !== undefined) this.end(state, deletion)
  }
}
