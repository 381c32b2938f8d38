import { setTimeout as delay } from 'node:timers/promises'
import { Deadline } from '../async/deadline.ts'
import { aSignal } from '../call-options.ts'
import type { ConsumerBatch } from '../consumer/delivery/consumer-batch.ts'
import type { ReadOptions } from '../consumer/delivery/message-reader.ts'
import type { GatheredPartition, Gatherer } from '../consumer/delivery/gatherer.ts'
import type { AssignedConsumer } from '../consumer/assigned-consumer.ts'
import { nameOf } from '../consumer/topic-partition.ts'
import { ClosedError, InvalidArgumentError, isRetriable, KafkaError } from '../errors.ts'
import type { GroupMetadata } from '../cluster/group-metadata.ts'
import { aDurationMs, anInteger, checkOptions, shown } from '../options.ts'
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

/** How much goes into a transaction: it is committed when the first of these is reached. */
export interface TransactOptions extends ReadOptions {
  /** A transaction that has this many messages takes no further batch. Default: 10,000. */
  readonly maxMessages?: number
  /**
   * How long a transaction takes batches, from its first one on. It waits so long for more where there are none; with 0
   * each batch has a transaction of its own. Default: 100, as in Kafka Streams.
   */
  readonly maxWaitMs?: number
}

const MAX_MESSAGES = 10_000
const MAX_WAIT_MS = 100

/** Between attempts to settle a transaction while its coordinator cannot be reached; each attempt waits by itself, too. */
const SETTLE_BACKOFF_MS = 100

/**
 * Reads, processes and writes in transactions of several batches each. The group's offsets are committed with each. A
 * partition that is taken away is released only when the transaction that its batches are in has ended: the transaction
 * ends then at once, and until it has the member counts as being at work on the partition.
 */
export async function transact<Value, Key>(
  member: TransactingMember<Value, Key>,
  producer: TransactionalProducer,
  handler: TransactionHandler<Value, Key>,
  options: TransactOptions,
): Promise<void> {
  if (!((producer as unknown) instanceof TransactionalProducer)) {
    throw new InvalidArgumentError('transact: needs a producer of getTransactionalProducer()')
  }
  if (typeof handler !== 'function') {
    throw new InvalidArgumentError(
      `transact: the handler must be a function, not ${shown(handler)}`,
    )
  }
  checkOptions<TransactOptions>('transact', options, {
    maxMessages: anInteger(1),
    maxWaitMs: aDurationMs(0),
    signal: aSignal,
  })
  const { core } = member
  if (member.autoCommitEnable) {
    throw new InvalidArgumentError(
      'transact: a consumer with autoCommitEnable would commit offsets of transactions that are aborted',
    )
  }
  const { maxMessages = MAX_MESSAGES, maxWaitMs = MAX_WAIT_MS, signal } = options
  const limits = { maxMessages, maxWaitMs }
  const work = async (batches: Gatherer<Value, Key>) => {
    for (let batch = await batches.first(); batch !== undefined; batch = await batches.first()) {
      try {
        await inTransaction(member, producer, handler, batches, batch, limits)
      } finally {
        batches.finish()
      }
    }
  }
  try {
    await core.gather(work, signal === undefined ? {} : { signal })
  } catch (error) {
    if (!(core.isClosed && error instanceof ClosedError)) throw error
  }
}

async function inTransaction<Value, Key>(
  member: TransactingMember<Value, Key>,
  producer: TransactionalProducer,
  handler: TransactionHandler<Value, Key>,
  batches: Gatherer<Value, Key>,
  first: ConsumerBatch<Value, Key>,
  { maxMessages, maxWaitMs }: Required<Pick<TransactOptions, 'maxMessages' | 'maxWaitMs'>>,
): Promise<void> {
  const { core } = member
  let tx: Transaction | undefined
  try {
    if (member.groupMetadata().memberId === '') {
      const reason =
        'transact: only groups that Kafka coordinates (managed: true) have transactions'
      throw new InvalidArgumentError(reason)
    }
    tx = await producer.begin()
    const end = new Deadline(maxWaitMs)
    let messages = 0
    let batch: ConsumerBatch<Value, Key> | undefined = first
    while (batch !== undefined) {
      await handler(batch, tx)
      if (!tx.isOpen) throw new InvalidArgumentError('transact: the handler ended the transaction')
      if (batches.isLastInterrupted) throw new InterruptedError()
      messages += batch.length
      const hasRoom = messages < maxMessages && !end.isOver
      batch = hasRoom ? await batches.more(end.remainingMs) : undefined
    }
    if (batches.hasLost) throw new InterruptedError()
    const offsets = batches.partitions.map(({ nextOffset: offset, ...one }) => ({ ...one, offset }))
    // The member of now: none of the partitions was taken away since it got their messages.
    await tx.sendOffsets({ offsets, group: member.groupMetadata() })
    await tx.commit()
  } catch (error) {
    const failure = tx === undefined ? undefined : await settle(tx)
    // The next owner of its partitions begins at what is committed.
    if (!core.isClosed) await rewind(core, batches.partitions)
    if (failure !== undefined) throw failure
    if (!mayGoOn(error)) throw error
  }
}

/** A partition was taken away: the transaction is aborted, and its messages come again, here or at their next owner. */
class InterruptedError extends Error {}

/**
 * Aborts until the transaction has ended in one way or the other: only then the committed offsets tell which. Returns
 * what ends the producer, such as that it is fenced.
 */
async function settle(tx: Transaction): Promise<Error | undefined> {
  while (tx.isOpen) {
    try {
      await tx.abort()
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      if (error.code === 'TRANSACTION_COMMITTED') return undefined
      if (error.code !== 'TRANSACTION_OUTCOME_UNKNOWN' && !isRetriable(error)) return error
      await delay(SETTLE_BACKOFF_MS)
    }
  }
  return undefined
}

/** Back to what is committed, or to the first message of the transaction where nothing is. */
async function rewind<Value, Key>(
  core: AssignedConsumer<Value, Key>,
  partitions: readonly GatheredPartition[],
): Promise<void> {
  for (;;) {
    try {
      const found = await core.fetchOffsets({}, partitions)
      const committed = new Map(found.map((one) => [nameOf(one), one.offset]))
      for (const one of partitions) {
        // One that is not assigned any more begins at what is committed, at its next owner.
        if (core.position(one) === undefined) continue
        core.seek(one, committed.get(nameOf(one)) ?? one.firstOffset)
      }
      return
    } catch (error) {
      if (core.isClosed) return
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
  if (error instanceof InterruptedError) return true
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
