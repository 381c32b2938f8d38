/**
 * What happens to a partition whose position cannot be fetched from: it is reset, checked against a new leader's log,
 * tried again after a wait, or ended with an error that the application gets behind what is queued.
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
import type { PartitionState } from '../partition-state.ts'
import { denied, isOfConnection, isStaleEpoch, isUnknownTopic } from './failures.ts'
import type { FetchPhase } from './fetch-position.ts'
import { findEnd, isEndMissing, reset, validate, type Recovery } from './recovery.ts'
import type { FetchSettings } from './settings.ts'

export interface RecoveryEvents {
  /** Something was put into the buffer of a partition, or it was moved. */
  readonly onArrived: (state: PartitionState) => void
  /** The log lost what was read of a partition: called before it is moved back. */
  readonly onTruncated: (state: PartitionState) => void
  /** A position may be fetched from again. */
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

  /** The epoch of a partition's leader; −1 where it is not known. */
  leaderEpochOf({ topic, partition }: PartitionState): number {
    return this.#cluster.leaderEpochOf(topic, partition)
  }

  /** Whether the position is known to be in the leader's log; finds out where there is a new leader (KIP-320). */
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

  /** Looks for another offset: the position is not in the log. */
  reset(state: PartitionState): void {
    // A position that was looked up and is refused again leads no further either.
    this.ledNowhere(state, 'the position is not in the log')
    void this.#recover(state, 'resetting', () => reset(this.#cluster, this.#settings, state))
  }

  /** Where a response brought nothing: looks whether the end to stop at is still there. */
  checkEnd(state: PartitionState): void {
    if (!isEndMissing(state, this.#settings)) return
    void this.#recover(state, 'finding-end', () => findEnd(this.#cluster, this.#settings, state))
  }

  /** Waits longer each time. The first time may have a cause that asking again ends, such as a limit. */
  ledNowhere(state: PartitionState, detail: string): void {
    const attempt = state.fetch.ledNowhere()
    if (attempt === 0) return
    const waitMs = backoffMs(attempt - 1, this.#settings.fetchBackoff)
    state.fetch.waitUntil(performance.now() + waitMs)
    const { topic, partition, name } = state
    const error = new BrokerError(ErrorCode.NONE, `fetching ${name}`, { topic, partition }, detail)
    reportRetry(this.#cluster.options, { what: `fetching ${name}`, attempt, waitMs, error })
  }

  /** A broker answered the fetch of a partition with an error. */
  refused(state: PartitionState, errorCode: number, broker: string): void {
    const { topic, partition, name } = state
    const error = new BrokerError(errorCode, `fetching ${name}`, { topic, partition, broker })
    if (isUnknownTopic(errorCode)) {
      const deletion = denied(state, this.#cluster, this.#settings.fetchBackoff)
      if (deletion !== undefined) this.end(state, deletion)
      else this.retryLater(state, error)
    } else {
      state.fetch.notDenied()
      this.fail(state, error)
    }
  }

  fail(state: PartitionState, error: Error): void {
    // The broker may have been started again since it last denied the partition.
    if (isOfConnection(error)) state.fetch.notDenied()
    if (isRetriable(error) || isOfConnection(error)) this.retryLater(state, error)
    else this.end(state, error)
  }

  /** The application is told once it has been given what is queued. */
  end(state: PartitionState, error: Error): void {
    if (error instanceof TopicRecreatedError || error instanceof UnknownTopicError) {
      state.lostTopic = error
    }
    state.buffer.enqueue({ kind: 'error', error })
    this.#events.onArrived(state)
  }

  retryLater(state: PartitionState, error: Error): void {
    const waitMs = backoffMs(state.fetch.failed(), this.#settings.fetchBackoff)
    state.fetch.waitUntil(performance.now() + waitMs)
    const what = `fetching ${state.name}`
    reportRetry(this.#cluster.options, { what, attempt: state.fetch.failures, waitMs, error })
    if (suggestsNewMetadata(error) || isStaleEpoch(error)) void this.#refresh(state)
  }

  /**
   * Does what has to be done before the partition can be fetched. If it fails, only this one waits. What
   * the state was moved to meanwhile stays.
   */
  async #recover(
    state: PartitionState,
    phase: FetchPhase,
    run: () => Promise<Recovery>,
  ): Promise<void> {
    const { version } = state.fetch
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
        this.fail(state, error as Error)
      }
    } finally {
      // The position was found otherwise, or is to be looked for again: as the next fetch says.
      state.fetch.end(phase, version)
      this.#events.onRecovered()
    }
  }

  /** If it fails there is no broker to fetch from, and the next attempt finds that. */
  async #refresh(state: PartitionState): Promise<void> {
    const { topic, partition } = state
    const { version } = state.fetch
    const failedEpoch = this.leaderEpochOf(state)
    try {
      await this.#cluster.refresh(topic)
    } catch {
      return
    }
    if (state.fetch.version !== version || this.#isStopped) return
    // The failure was that of the former leader (KIP-951). Epochs only rise: waits cannot end again and again.
    const isNewer = this.leaderEpochOf(state) > failedEpoch
    if (isNewer && this.#cluster.leaderOf(topic, partition) !== undefined) {
      state.fetch.waitUntil(0)
      this.#events.onRecovered()
    }
    const errorCode = this.#cluster.known(topic)?.errorCode ?? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    if (!isUnknownTopic(errorCode)) return
    if (!state.isAssigned || state.buffer.isStopped) return
    const deletion = denied(state, this.#cluster, this.#settings.fetchBackoff)
    if (deletion !== undefined) this.end(state, deletion)
  }
}
