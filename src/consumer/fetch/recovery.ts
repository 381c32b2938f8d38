/** Recovers a position that cannot be fetched, or that is not known to be in the leader's log. */
import { Deadline } from '../../async/deadline.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import { LeaderNotFoundError, NoOffsetError } from '../../errors.ts'
import { positionChannel, type PositionEvent } from '../../observe/channels.ts'
import { lookUpOffsets, type OffsetSpec } from '../list-offsets.ts'
import type { PartitionState } from '../partition-state.ts'
import { endOfEpoch } from './end-of-epoch.ts'
import { visibleEnd } from './responses.ts'
import type { FetchSettings } from './settings.ts'

/** The result of a recovery; undefined if the partition was moved in the meantime, or if nothing has to be done. */
export type RecoveryResult =
  /** The partition cannot be read any further. */
  | { readonly kind: 'end'; readonly error: Error }
  /** The log has lost messages that were read: the position goes back, whatever is buffered. */
  | { readonly kind: 'truncated'; readonly to: number; readonly leaderEpoch: number }
  | undefined

/** The position is not in the log (or no longer): continues where autoOffsetReset says. */
export async function reset(
  cluster: Cluster,
  settings: FetchSettings,
  state: PartitionState,
  reason: PositionEvent['reason'] = 'out-of-range',
): Promise<RecoveryResult> {
  const { topic, partition } = state
  const { version, offset: from } = state.fetch
  const problem = problemOf(state, reason)
  if (settings.resetTo === 'none') {
    const message = `${problem}, and autoOffsetReset is 'none'`
    return { kind: 'end', error: new NoOffsetError(message, from, state) }
  }
  const spec = settings.resetTo
  const to = await lookUp(cluster, settings, state, spec)
  if (!state.isAssigned || state.fetch.version !== version) return undefined
  cluster.options.logger.warn(`${problem}: the consumer continues at ${to}, the ${spec}`)
  reportMove(cluster, { topic, partition, from, to, reason })
  state.jumpTo(to)
  return undefined
}

/**
 * Asks a new leader if its log contains what was read. Missing messages are lost, and their offsets are read again
 * (KIP-320).
 */
export async function validate(
  cluster: Cluster,
  settings: FetchSettings,
  state: PartitionState,
  ofLeader: number,
): Promise<RecoveryResult> {
  const { topic, partition, name } = state
  const { version, leaderEpoch: ofPosition } = state.fetch
  const leader = cluster.leaderOf(topic, partition)
  if (leader === undefined) throw new LeaderNotFoundError(`${name} has no leader`, state)
  const { requestTimeoutMs, logger } = cluster.options
  const found = await endOfEpoch(leader, state, { ofLeader, ofPosition }, requestTimeoutMs)
  if (!state.isAssigned || state.fetch.version !== version) return undefined
  if (found === undefined || found.endOffset >= state.fetch.offset) {
    state.fetch.validated(ofLeader)
    return undefined
  }
  // UNDEFINED_EPOCH_OFFSET: the leader's history has neither this epoch nor a later one, as after an unclean election
  // of a replica without it, or in another topic of the same name. The response names no offset to go back to, and at
  // this offset the log may have another message: autoOffsetReset decides, as in the Java client and librdkafka.
  if (found.endOffset < 0) return reset(cluster, settings, state, 'truncated')
  const { endOffset: to, leaderEpoch } = found
  const { position } = state
  if (to >= position) {
    state.refetch(to)
    state.fetch.validated(ofLeader)
    return undefined
  }
  logger.warn(
    `${name} lost the messages from offset ${to} up to ${position}, which had been read, in a leader change: the consumer continues at ${to}`,
  )
  reportMove(cluster, { topic, partition, from: position, to, reason: 'truncated' })
  return { kind: 'truncated', to, leaderEpoch }
}

/**
 * The log ends before the offset at which a consumer with `stopAtEnd` stops: since that offset was looked up, the log
 * lost its tail, or was deleted and filled again. If the leader confirms it, the consumer stops where the log now
 * ends.
 */
export async function findEnd(
  cluster: Cluster,
  settings: FetchSettings,
  state: PartitionState,
): Promise<RecoveryResult> {
  const { endOffset } = state
  const { version, offset: fetchOffset } = state.fetch
  // It does not use the high watermark of a fetch: a new leader's is behind for a moment, and ListOffsets waits for
  // it (KIP-207).
  const end = await lookUp(cluster, settings, state, 'latest')
  if (!state.isAssigned || state.fetch.version !== version || end >= endOffset) return undefined
  cluster.options.logger.warn(
    `${state.name} ends at ${end} now, before its end of ${endOffset} when it was assigned: the consumer stops there`,
  )
  state.endOffset = end
  // This wakes the reader, which finds that it is at the end.
  if (end <= fetchOffset) state.jumpTo(fetchOffset)
  return undefined
}

/** True if an empty response shows that the offset to stop at does not exist. */
export function isEndMissing(state: PartitionState, { isReadCommitted }: FetchSettings): boolean {
  const { endOffset } = state
  if (endOffset === Infinity) return false
  const end = visibleEnd(state, isReadCommitted)
  return end >= 0 && end < endOffset && state.fetch.offset >= end
}

async function lookUp(
  cluster: Cluster,
  { isReadCommitted }: FetchSettings,
  state: PartitionState,
  spec: OffsetSpec,
): Promise<number> {
  const deadline = new Deadline(cluster.options.operationTimeoutMs)
  const found = await lookUpOffsets(cluster, [state], spec, deadline, isReadCommitted)
  return found.get(state.name) ?? 0
}

function problemOf(
  { name, fetch: { offset, leaderEpoch } }: PartitionState,
  reason: PositionEvent['reason'],
): string {
  return reason === 'out-of-range'
    ? `${name} has no offset ${offset} (any more)`
    : `the leader of ${name} does not know epoch ${leaderEpoch}, in which the messages up to offset ${offset} were written`
}

function reportMove(cluster: Cluster, event: Omit<PositionEvent, 'clientId'>): void {
  if (!positionChannel.hasSubscribers) return
  const complete: PositionEvent = { clientId: cluster.options.metrics.clientId, ...event }
  positionChannel.publish(complete)
}
