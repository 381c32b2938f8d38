import { setTimeout as delay } from 'node:timers/promises'
import { Deadline } from '../async/deadline.ts'
import type { ConsumerBatch } from '../consumer/delivery/consumer-batch.ts'
import { READ_OPTIONS, type ReadOptions } from '../consumer/delivery/read-options.ts'
import type { GatheredPartition, Gatherer } from '../consumer/delivery/gatherer.ts'
import type { AssignedConsumer } from '../consumer/assigned-consumer.ts'
import { nameOf } from '../consumer/topic-partition.ts'
import { ClosedError, InvalidArgumentError, isRetriable, KafkaError } from '../errors.ts'
import type { GroupMetadata } from '../cluster/group-metadata.ts'
import { readOptions, type OptionTable } from '../option-table.ts'
import { aDurationMs, anInteger, shown } from '../options.ts'
import type { Transaction } from '../producer/transactions/transaction.ts'
import { TransactionalProducer } from '../producer/transactions/transactional-producer.ts'

/** The handler of `transact`, called for each batch with the transaction for its results. */
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

/** The size of a transaction: it is committed when the first of these limits is reached. */
export interface TransactOptions extends ReadOptions {
  /** A transaction with this number of messages takes no further batch. Default: 10,000. */
  readonly maxMessages?: number
  /**
   * How long a transaction takes batches, from its first one on. It waits this long for more if there are none; with
   * 0 each batch has its own transaction. Default: 100 (as in Kafka Streams).
   */
  readonly maxWaitMs?: number
}

/** The checks and defaults of the options that only `transact()` has. */
export const TRANSACT_OPTIONS = {
  maxMessages: { check: anInteger(1), default: 10_000 },
  maxWaitMs: { check: aDurationMs(0), default: 100 },
} as const satisfies OptionTable<Omit<TransactOptions, keyof ReadOptions>>

/**
 * The wait between attempts to settle a transaction while its coordinator cannot be reached; each attempt also waits
 * by itself.
 */
const SETTLE_BACKOFF_MS = 100

/**
 * Reads, processes and writes in transactions of several batches each. Each transaction commits the group's offsets.
 * A partition that is being revoked is released only when the transaction with its batches has ended. This
 * transaction ends at once, and until then the member counts as processing the partition.
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
  const table = { ...READ_OPTIONS, ...TRANSACT_OPTIONS }
  const settings = readOptions<TransactOptions, typeof table>('transact', options, table)
  const { core } = member
  if (member.autoCommitEnable) {
    throw new InvalidArgumentError(
      'transact: a consumer with autoCommitEnable would commit offsets of transactions that are aborted',
    )
  }
  const { maxMessages, maxWaitMs, signal } = settings
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
    await core.reader.gather(work, signal === undefined ? {} : { signal })
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
        'transact: groups that ZooKeeper coordinates have no transactions: use another groupProtocol'
      throw new InvalidArgumentError(reason)
    }
    const open = await producer.begin()
    tx = open
    const end = new Deadline(maxWaitMs)
    let messages = 0
    let batch: ConsumerBatch<Value, Key> | undefined = first
    while (batch !== undefined) {
      await batches.handleLast((last) => handler(last, open))
      if (!open.isOpen)
        throw new InvalidArgumentError('transact: the handler ended the transaction')
      if (batches.isLastInterrupted) throw new InterruptedError()
      messages += batch.length
      const hasRoom = messages < maxMessages && !end.isOver
      batch = hasRoom ? await batches.more(end.remainingMs) : undefined
    }
    if (batches.hasLost) throw new InterruptedError()
    const offsets = batches.partitions.map(({ nextOffset: offset, ...one }) => ({ ...one, offset }))
    await core.commits.reported(offsets, async () => {
      // The member's current identity: none of the partitions was taken away since it got their messages.
      await open.sendOffsets({ offsets, group: member.groupMetadata() })
      await open.commit()
    })
  } catch (error) {
    const failure = tx === undefined ? undefined : await settle(tx)
    // The next owner of its partitions starts at the committed offsets.
    if (!core.isClosed) await rewind(core, batches.partitions)
    if (failure !== undefined) throw failure
    if (!mayGoOn(error)) throw error
  }
}

/**
 * A partition was taken away: the transaction is aborted, and its messages are delivered again, here or to their next
 * owner.
 */
class InterruptedError extends Error {}

/**
 * Retries the abort until the transaction has ended, committed or aborted: the committed offsets show which only
 * then. Returns the error that ends the producer, such as fencing.
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

/** Moves partitions back to the committed offsets, or to the first message of the transaction if there are none. */
async function rewind<Value, Key>(
  core: AssignedConsumer<Value, Key>,
  partitions: readonly GatheredPartition[],
): Promise<void> {
  for (;;) {
    try {
      const found = await core.commits.fetch({}, partitions)
      const committed = new Map(found.map((one) => [nameOf(one), one.offset]))
      for (const one of partitions) {
        // A partition that is no longer assigned starts at the committed offset, at its next owner.
        if (core.positions.of(one) === undefined) continue
        core.positions.seek(one, committed.get(nameOf(one)) ?? one.firstOffset)
      }
      return
    } catch (error) {
      if (core.isClosed) return
      if (!isRetriable(error)) throw error
      await delay(SETTLE_BACKOFF_MS)
    }
  }
}

/** Errors of the transaction that the next attempt does not necessarily meet again, such as after a rebalance. */
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
