import { offsetForLeaderEpoch } from '../../../protocol/apis/offset-for-leader-epoch.ts'
import { ErrorCode } from '../../../protocol/errors.ts'
import { toSafeNumber } from '../../../protocol/records/safe-number.ts'
import { BrokerError } from '../../errors.ts'
import type { Broker } from '../../network/broker.ts'
import { nameOf, type TopicPartition } from '../topic-partition.ts'

/** Versions before this one are for replicas, and need permissions that consumers do not have. */
const FOR_CONSUMERS = 3

export interface EpochEnd {
  /**
   * The last epoch in the log that is not newer than the requested one, or the requested one itself if everything left
   * is newer; −1 if `endOffset` is −1.
   */
  readonly leaderEpoch: number
  /**
   * The end offset of that epoch; −1 (UNDEFINED_EPOCH_OFFSET) if the log has neither the requested epoch nor a later
   * one.
   */
  readonly endOffset: number
}

/**
 * Asks a leader for the end offset of an epoch in its log: a consumer with a higher position has read messages that
 * are lost (KIP-320). Undefined if the broker does not support the request.
 */
export async function endOfEpoch(
  leader: Broker,
  { topic, partition }: TopicPartition,
  epochs: { readonly ofLeader: number; readonly ofPosition: number },
  timeoutMs: number,
): Promise<EpochEnd | undefined> {
  const versions = await leader.versions()
  if (!versions.has(offsetForLeaderEpoch)) return undefined
  if (versions.pick(offsetForLeaderEpoch) < FOR_CONSUMERS) return undefined
  const asked = {
    partition,
    currentLeaderEpoch: epochs.ofLeader,
    leaderEpoch: epochs.ofPosition,
  }
  const response = await leader.request(
    offsetForLeaderEpoch,
    { replicaId: -1, topics: [{ topic, partitions: [asked] }] },
    { timeoutMs },
  )
  const found = response.topics[0]?.partitions[0]
  const what = `looking up where epoch ${epochs.ofPosition} of ${nameOf({ topic, partition })} ended`
  const context = { topic, partition, broker: leader.name }
  if (found === undefined) {
    throw new BrokerError(
      ErrorCode.UNKNOWN_SERVER_ERROR,
      what,
      context,
      'the response does not contain it',
    )
  }
  if (found.errorCode !== ErrorCode.NONE) throw new BrokerError(found.errorCode, what, context)
  const endOffset = toSafeNumber(found.endOffset, 'end offset')
  return { leaderEpoch: found.leaderEpoch, endOffset }
}
