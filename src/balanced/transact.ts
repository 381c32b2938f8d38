import { setTimeout as delay } from 'node:timers/promises'
import type { ConsumerBatch } from '../consumer/delivery/consumer-batch.ts'
import type { ReadOptions } from '../consumer/delivery/delivery.ts'
import type { AssignedConsumer } from '../consumer/assigned-consumer.ts'
import { ClosedError, InvalidArgumentError, isRetriable, KafkaError } from '../errors.ts'
import type { GroupMetadata } from '../cluster/group-metadata.ts'
import { shown } from '../options.ts'
import type { Transaction } from '../producer/transactions/transaction.ts'
import { TransactionalProducer } from '../producer/transactions/transactional-producer.ts'

/** Called for each batch, with the transaction that its results go into. */
export type TransactionHandler<Value, Key> = (
  batch: ConsumerBatch<Value, Key>,
  transaction: Transaction,
) => void | Promise<void>

/** The member of a group that reads. */
export interface TransactingMember<Value, Key> {
  readonly core: AssignedConsumer<Value, Key>
  readonly autoCommitEnable: boolean
  groupMetadata(): GroupMetadata
}

/** Between attempts to settle a transaction while its coordinator cannot be reached; each attempt waits by itself, too. */
const SETTLE_BACKOFF_MS = 100

/**
 * Reads, processes and writes in transactions, one a batch. The group's offsets are committed with each. A partition
 * that is taken away is released only when its batch has been processed: the loop asks for the next one when the
 * transaction has ended, and that is what the member waits for.
 */
export async function transact<Value, Key>(
  member: TransactingMember<Value, Key>,
  producer: TransactionalProducer,
  handler: TransactionHandler<Value, Key>,
  options: ReadOptions,
): Promise<void> {
  if (!((producer as unknown) instanceof TransactionalProducer)) {
    throw new InvalidArgumentError('transact: needs a producer of getTransactionalProducer()')
  }
  if (typeof handler !== 'function') {
    throw new InvalidArgumentError(
      `transact: the handler must be a function, not ${shown(handler)}`,
    )
  }
  const { core } = member
  if (member.autoCommitEnable) {
    throw new InvalidArgumentError(
      'transact: a consumer with autoCommitEnable would commit offsets of transactions that are aborted',
    )
  }
  try {
    for await (const batch of core.batches(options)) {
      await inTransaction(member, producer, handler, batch)
    }
  } catch (error) {
    if (!(core.isClosed && error instanceof ClosedError)) throw error
  }
}

async function inTransaction<Value, Key>(
  member: TransactingMember<Value, Key>,
  producer: TransactionalProducer,
  handler: TransactionHandler<Value, Key>,
  batch: ConsumerBatch<Value, Key>,
): Promise<void> {
  const { core } = member
  // The membership under which the batch was delivered: a later one does not have to own its partition.
  const group = member.groupMetadata()
  if (group.memberId === '') {
    const reason = 'transact: only groups that Kafka coordinates (managed: true) have transactions'
    throw new InvalidArgumentError(reason)
  }
  const tx = await producer.begin()
  try {
    await handler(batch, tx)
    if (!tx.isOpen) throw new InvalidArgumentError('transact: the handler ended the transaction')
    const { topic, partition, nextOffset: offset } = batch
    await tx.sendOffsets({ offsets: [{ topic, partition, offset }], group })
    await tx.commit()
  } catch (error) {
    await settle(tx)
    // The next owner of its partitions begins at what is committed.
    if (!core.isClosed) await rewind(core, batch)
    if (!mayGoOn(error)) throw error
  }
}

/** Aborts until the transaction has ended in one way or the other: only then the committed offsets tell which. */
async function settle(tx: Transaction): Promise<void> {
  while (tx.isOpen) {
    try {
      await tx.abort()
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      if (error.code === 'TRANSACTION_COMMITTED') return
      if (error.code !== 'TRANSACTION_OUTCOME_UNKNOWN' && !isRetriable(error)) throw error
      await delay(SETTLE_BACKOFF_MS)
    }
  }
}

/** Back to what is committed, or to the beginning of the batch where nothing is. */
async function rewind<Value, Key>(
  core: AssignedConsumer<Value, Key>,
  batch: ConsumerBatch<Value, Key>,
): Promise<void> {
  for (;;) {
    try {
      const [committed] = await core.fetchOffsets({}, [batch])
      // Its next owner begins at what is committed.
      if (core.position(batch) === undefined) return
      core.seek(batch, committed?.offset ?? batch.firstOffset)
      return
    } catch (error) {
      if (!isRetriable(error)) throw error
      await delay(SETTLE_BACKOFF_MS)
    }
  }
}

/** Errors of the transaction that the next attempt does not have to meet again, as after a rebalance. */
const BY_REBALANCE: readonly string[] = [
  'ILLEGAL_GENERATION',
  'UNKNOWN_MEMBER_ID',
  'REBALANCE_IN_PROGRESS',
  'STALE_MEMBER_EPOCH',
]

function mayGoOn(error: unknown): boolean {
  if (!(error instanceof KafkaError)) return false
  const cause = error.code === 'TRANSACTION_FAILED' ? error.cause : error
  if (!(cause instanceof KafkaError)) return false
  return (
    cause.code === 'TRANSACTION_OUTCOME_UNKNOWN' ||
    cause.code === 'TRANSACTION_ABORTABLE' ||
    BY_REBALANCE.includes(cause.code) ||
    isRetriable(cause)
  )
}
