import { ErrorCode } from '../../../protocol/errors.ts'
import { Deadline } from '../../async/deadline.ts'
import type { BrokerError } from '../../errors.ts'
import { asError } from '../../observe/thrown.ts'
import type { Batch } from '../accumulator/batch.ts'
import type { PartitionQueue } from '../accumulator/partition-queue.ts'
import { fetchProducerId, type ProducerIdentity } from './producer-id.ts'
import type { NumberRecovery, PolicyContext, RecoveryPolicy } from './recovery-policy.ts'

const LAST_EPOCH = 0x7fff

/**
 * Recovery without transactions. When a number is missing, the partition continues with the next epoch of the same
 * producer id, and sequences from 0 (KIP-360). Each partition has its own epoch: brokers compare epochs within a
 * partition only, so that no other partition must stop.
 *
 * Without a producer id (`idempotent: false`, or brokers that provide none) batches have no numbers.
 */
export class IdempotentRecovery implements RecoveryPolicy {
  readonly transactionalId = null
  readonly maxProduceVersion = Infinity
  readonly #context: PolicyContext
  readonly #renewing = new Set<PartitionQueue<Batch>>()
  #identity: ProducerIdentity | undefined

  constructor(context: PolicyContext) {
    this.#context = context
  }

  async start(deadline: Deadline): Promise<void> {
    const { cluster, settings } = this.#context
    const { idempotent } = settings
    if (idempotent === false) return
    this.#identity = await fetchProducerId(cluster, deadline, idempotent === true)
  }

  maySend(queue: PartitionQueue<Batch>): boolean {
    if (this.#identity === undefined) return true
    if (this.#renewing.has(queue)) return false
    const { producerId, producerEpoch } = queue.identity ?? this.#identity
    if (queue.identity === undefined) queue.startWith(this.#identity)
    if (!queue.hasGap || !queue.mayRenumber) return true
    if (producerEpoch < LAST_EPOCH) {
      queue.startWith({ producerId, producerEpoch: producerEpoch + 1 })
      return true
    }
    void this.#renew(queue)
    return false
  }

  onNumberRefused(queue: PartitionQueue<Batch>, batch: Batch, error: BrokerError): NumberRecovery {
    const { errorCode } = error
    // Behind a failed batch the rejection is only a consequence of that failure.
    if (!queue.isProbed(batch) && queue.isBehindAnother(batch)) return 'retry'
    return errorCode === ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER ? 'probe' : 'renumber'
  }

  onFailed(): void {
    // The queue records the gap, if there is one; `maySend` closes it.
  }

  /** Gets another producer id when the epochs of the partition's are used up. */
  async #renew(queue: PartitionQueue<Batch>): Promise<void> {
    const { cluster, resume, retryLater } = this.#context
    this.#renewing.add(queue)
    try {
      const deadline = new Deadline(cluster.options.operationTimeoutMs)
      const identity = await fetchProducerId(cluster, deadline, true)
      if (identity !== undefined) queue.startWith(identity)
      this.#renewing.delete(queue)
      resume(queue)
    } catch (error) {
      this.#renewing.delete(queue)
      retryLater(queue, asError(error))
    }
  }
}
