/** Applies a fetch response to the requested partitions. */
import type { FetchResponse } from '../../../protocol/apis/fetch.ts'
import { ErrorCode } from '../../../protocol/errors.ts'
import { appendTo } from '../../cluster/append-to.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import type { NamedLeader } from '../../cluster/metadata-cache.ts'
import type { Broker } from '../../network/broker.ts'
import type { FrameMemory } from '../../network/frame-memory.ts'
import type { ConsumerMetrics } from '../../observe/metrics/client-metrics.ts'
import type { PartitionState } from '../partition-state.ts'
import { fetchedPartitions, type FetchedPartition } from './fetch-request.ts'
import { keyOf, type PartitionToFetch } from './fetch-session.ts'
import { Lease } from './lease.ts'
import type { PositionRecovery } from './position-recovery.ts'
import { queueRecords } from './responses.ts'
import type { FetchSettings } from './settings.ts'

/** A partition of a request, and what the request asked for. */
export interface Asked {
  readonly state: PartitionState
  readonly toFetch: PartitionToFetch
  /** The version of the position at the time of the request. */
  readonly version: number
}

/** What a response contained. */
export interface Fetched {
  /** The bytes of records. */
  readonly bytes: number
  /** The messages that were queued. */
  readonly messages: number
}

export interface ResponseHandlerDependencies {
  readonly cluster: Cluster
  readonly settings: FetchSettings
  readonly recovery: PositionRecovery
  readonly metrics: ConsumerMetrics
  /** The memory of responses, if it is reused. */
  readonly frameMemory: FrameMemory | undefined
  /** Called after something of a partition was handled: records, an error, or an empty result. */
  readonly onArrived: (state: PartitionState) => void
  /** Called when a response had records of a partition, which are now queued. */
  readonly onRecords: (state: PartitionState) => void
}

export class ResponseHandler {
  readonly #parts: ResponseHandlerDependencies

  constructor(parts: ResponseHandlerDependencies) {
    this.#parts = parts
  }

  /** Returns what the response contained. `byId`: it identifies topics by their ids. */
  handle(response: FetchResponse, asked: readonly Asked[], byId: boolean, broker: Broker): Fetched {
    const { recovery, onArrived } = this.#parts
    const fetched = fetchedPartitions(response, byId)
    let bytes = 0
    let messages = 0
    for (const { records } of fetched.values()) bytes += records?.length ?? 0
    if (bytes > 0) this.#parts.metrics.counted.fetchBytes.record(bytes)
    const lease = this.#leaseOf(fetched)
    lease?.retain()
    this.#parts.cluster.learnLeaders(namedLeaders(asked, fetched, byId), response.nodeEndpoints)
    for (const { state, toFetch, version } of asked) {
      const one = fetched.get(keyOf(toFetch, byId))
      // The partition was given up or moved after the request, so its part of the response is not wanted any more.
      if (!state.isAssigned || state.fetch.version !== version) continue
      // In a session a broker leaves out partitions that have not changed.
      if (one === undefined) {
        recovery.checkEnd(state)
        continue
      }
      messages += this.#handlePartition(state, one, toFetch.leaderEpoch, broker, lease)
      onArrived(state)
    }
    lease?.release()
    return { bytes, messages }
  }

  /** Returns the lease of the response: all its records are in the same memory. */
  #leaseOf(fetched: ReadonlyMap<string, FetchedPartition>): Lease | undefined {
    const { frameMemory } = this.#parts
    if (frameMemory === undefined) return undefined
    for (const { records } of fetched.values()) {
      if (records !== null && records.length > 0) return new Lease(frameMemory, records.buffer)
    }
    return undefined
  }

  /** Returns how many messages were queued. */
  #handlePartition(
    state: PartitionState,
    fetched: FetchedPartition,
    askedEpoch: number,
    broker: Broker,
    lease: Lease | undefined,
  ): number {
    const { cluster, settings, recovery, metrics, onRecords } = this.#parts
    const { fetch } = state
    const { errorCode, preferredReadReplica, records } = fetched
    const { metadataMaxAgeMs, logger } = cluster.options
    if (errorCode !== ErrorCode.NONE) {
      this.#handleError(state, errorCode, askedEpoch, broker)
      return 0
    }
    // The leader is asked again as often as metadata is refreshed.
    if (preferredReadReplica >= 0) {
      fetch.prefer(preferredReadReplica, performance.now() + metadataMaxAgeMs)
    }
    fetch.succeeded(Number(fetched.highWatermark), Number(fetched.lastStableOffset))
    // The offset exists by now. This wakes the reader, which finds that it is beyond the end.
    if (state.isBeyondEnd) state.jumpTo(fetch.offset)
    if (records === null || records.length === 0) {
      fetch.ledFurther()
      recovery.checkEnd(state)
      return 0
    }
    const messagesBefore = state.buffer.messages
    const isFurther = queueRecords(state, fetched, lease, settings, logger)
    const counted = metrics.counted.topics.of(state.topic)
    const messages = state.buffer.messages - messagesBefore
    counted.fetchedMessages += messages
    counted.fetchedBytes += records.length
    if (isFurther) fetch.ledFurther()
    else recovery.ledNowhere(state, 'the response has no batch after the fetch offset')
    onRecords(state)
    return messages
  }

  #handleError(state: PartitionState, errorCode: number, askedEpoch: number, broker: Broker): void {
    const { recovery } = this.#parts
    const isPreferred = state.fetch.preferredAt(performance.now()) !== undefined
    state.fetch.preferLeader()
    if (errorCode !== ErrorCode.OFFSET_OUT_OF_RANGE) {
      recovery.refused(state, errorCode, broker.name, askedEpoch)
      // A follower may be behind, so the leader's response decides.
    } else if (!isPreferred) recovery.reset(state)
  }
}

/** A broker that does not lead a partition any more names the leader, so that no request is needed to find it. */
function namedLeaders(
  asked: readonly Asked[],
  fetched: ReadonlyMap<string, FetchedPartition>,
  byId: boolean,
): ReadonlyMap<string, readonly NamedLeader[]> {
  const named = new Map<string, NamedLeader[]>()
  for (const { toFetch } of asked) {
    const { errorCode = ErrorCode.NONE, currentLeader } = fetched.get(keyOf(toFetch, byId)) ?? {}
    if (errorCode === ErrorCode.NONE || currentLeader === undefined) continue
    const { topic, partition } = toFetch
    if (currentLeader.leaderId >= 0) appendTo(named, topic, { partition, ...currentLeader })
  }
  return named
}
