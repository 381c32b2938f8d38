import { offsetForLeaderEpoch } from '../../../protocol/apis/offset-for-leader-epoch.ts'
import { ErrorCode } from '../../../protocol/errors.ts'
import { toSafeNumber } from '../../../protocol/records/safe-number.ts'
import { BrokerError } from '../../errors.ts'
import type { Broker } from '../../network/broker.ts'
import { nameOf, type TopicPartition } from '../topic-partition.ts'

/** Before this version it was for replicas, and needs rights that consumers don't have. */
const FOR_CONSUMERS = 3

export interface EpochEnd {
  /** The last epoch in the log that is not newer than the one asked for, or that one itself where all that is left is newer; −1 with `endOffset`. */
  readonly leaderEpoch: number
  /** Where it ended; −1 (UNDEFINED_EPOCH_OFFSET) where the log has neither the epoch asked for nor a later one. */
  readonly endOffset: number
}

/**
 * Asks a leader where an epoch ended in its log: a consumer that is further than that has read what is lost
 * (KIP-320). Undefined where the broker cannot tell.
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
    throw new BrokerError(ErrorCode.UNKNOWN_SERVER_ERROR, what, context, 'the broker did not say')
  }
  if (found.errorCode !== ErrorCode.NONE) throw new BrokerError(found.errorCode, what, context)
  const endOffset = toSafeNumber(found.endOffset, 'end offset')
  return { leaderEpoch: found.leaderEpoch, endOffset }
}
