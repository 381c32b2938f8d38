/**
 * The transaction coordinator (KIP-98), with the protocol up to Kafka 3.9 and that of
 * transaction.version 2 (KIP-890). In the latter, produce requests add partitions, and each end of
 * a transaction bumps the epoch.
 */
import type { ErrorName } from '../../../protocol/errors.ts'
import type { ClusterState } from '../cluster/cluster-state.ts'
import type { Partition } from '../cluster/partition.ts'
import type { Groups } from '../groups/groups.ts'
import { endMarker } from '../log/marker.ts'
import { Refused } from '../refused.ts'
import type { ClusterStorage } from '../storage/cluster-storage.ts'
import { NO_EPOCH, Transaction, type ProducerIdentity } from './transaction.ts'

/** Kafka's transaction.max.timeout.ms. */
const MAX_TIMEOUT_MS = 900_000
/**
 * Kafka's transactional.id.expiration.ms: an id without a transaction is removed after this time.
 */
const EXPIRATION_MS = 7 * 24 * 3600 * 1000

export type TransactionResult = 'commit' | 'abort'

export class Transactions {
  readonly #byId = new Map<string, Transaction>()
  readonly #cluster: ClusterState
  readonly #groups: Groups
  readonly #storage: ClusterStorage
  readonly #markerDelayMs: number

  /**
   * Transactions that were open when the cluster ended are aborted, and their producers are fenced.
   * `markerDelayMs`: how long after the end of a transaction its markers are written.
   */
  constructor(
    cluster: ClusterState,
    groups: Groups,
    storage: ClusterStorage,
    markerDelayMs: number,
  ) {
    this.#cluster = cluster
    this.#groups = groups
    this.#storage = storage
    this.#markerDelayMs = markerDelayMs
    for (const saved of storage.saved.transactions) {
      const producer = { producerId: BigInt(saved.producerId), producerEpoch: saved.producerEpoch }
      const transaction = new Transaction(saved.id, producer, saved.timeoutMs)
      transaction.usedAtMs = cluster.nowMs()
      this.#byId.set(saved.id, transaction)
      if (!saved.isOpen) continue
      for (const { partitions } of cluster.topics.all) {
        for (const partition of partitions) {
          const isOpen = partition.state.transactions.isOpen(producer.producerId)
          if (isOpen) transaction.partitions.add(partition)
        }
      }
      this.#fence(transaction)
    }
  }

  get all(): readonly Transaction[] {
    for (const id of this.#byId.keys()) this.find(id)
    return [...this.#byId.values()]
  }

  /** The state of an id, which may have expired. */
  find(id: string): Transaction | undefined {
    const known = this.#byId.get(id)
    if (known === undefined || known.state === 'Ongoing' || known.isPrepared) return known
    if (this.#cluster.nowMs() - known.usedAtMs < EXPIRATION_MS) return known
    this.#byId.delete(id)
    return undefined
  }

  /** Throws Refused unless the broker coordinates the id. */
  checkCoordinator(id: string, brokerId: number): void {
    if (id === '') throw new Refused('INVALID_REQUEST')
    this.#groups.checkCoordinator(id, brokerId)
  }

  /**
   * Returns the producer id and epoch to use from now on, and aborts the open transaction of
   * another producer with the id. `expected` is the producer's previous id and epoch, if any
   * (KIP-360). Throws Refused.
   */
  init(id: string, timeoutMs: number, expected: ProducerIdentity | undefined): ProducerIdentity {
    if (timeoutMs <= 0 || timeoutMs > MAX_TIMEOUT_MS) {
      throw new Refused('INVALID_TRANSACTION_TIMEOUT')
    }
    const known = this.find(id)
    if (known === undefined) {
      const producer = { producerId: this.#cluster.newProducerId(), producerEpoch: 0 }
      const transaction = new Transaction(id, producer, timeoutMs)
      this.#byId.set(id, transaction)
      this.#save(transaction)
      return transaction.identity
    }
    if (expected !== undefined && !known.isOf(expected) && !known.wasBumpedFrom(expected)) {
      throw new Refused('PRODUCER_FENCED')
    }
    if (known.isPrepared) throw new Refused('CONCURRENT_TRANSACTIONS')
    if (known.state === 'Ongoing') {
      // The epoch that is reserved for fencing is never allocated: the client sends the request
      // again and gets the next one.
      this.#fence(known)
      throw new Refused('CONCURRENT_TRANSACTIONS')
    }
    known.timeoutMs = timeoutMs
    // A repeated request gets the same response as the first one.
    if (expected === undefined || known.isOf(expected)) {
      this.#bump(known, expected?.producerEpoch ?? NO_EPOCH)
      known.state = 'Empty'
    }
    this.#save(known)
    return known.identity
  }

  /** Returns the current or next transaction of a producer. Throws Refused. */
  of(id: string, producer: ProducerIdentity): Transaction {
    const transaction = this.find(id)
    if (transaction?.producerId !== producer.producerId) {
      throw new Refused('INVALID_PRODUCER_ID_MAPPING')
    }
    if (!transaction.isOf(producer)) throw new Refused('PRODUCER_FENCED')
    return transaction
  }

  /** Throws Refused. */
  addPartitions(transaction: Transaction, partitions: readonly Partition[]): void {
    this.#begin(transaction)
    for (const partition of partitions) transaction.partitions.add(partition)
  }

  /** Throws Refused. */
  addGroup(transaction: Transaction, groupId: string): void {
    this.#begin(transaction)
    transaction.groups.add(groupId)
  }

  /** Uses the protocol up to transaction.version 1. Throws Refused. */
  end(id: string, producer: ProducerIdentity, outcome: TransactionResult): void {
    const transaction = this.of(id, producer)
    checkPrepared(transaction, outcome)
    if (transaction.state === 'Ongoing') this.#complete(transaction, outcome)
    else if (transaction.state !== stateAfter(outcome)) throw new Refused('INVALID_TXN_STATE')
  }

  /**
   * Uses the protocol of transaction.version 2: returns the producer id and epoch of the next
   * transaction. Throws Refused.
   */
  endAndBump(id: string, producer: ProducerIdentity, outcome: TransactionResult): ProducerIdentity {
    const known = this.find(id)
    if (known?.isOf(producer) === true || known?.wasBumpedFrom(producer) === true) {
      checkPrepared(known, outcome)
    }
    // A repeated request: the transaction has already ended.
    if (known?.wasBumpedFrom(producer) === true && known.state !== 'Ongoing') {
      if (known.state !== stateAfter(outcome)) throw new Refused('INVALID_TXN_STATE')
      return known.identity
    }
    const transaction = this.of(id, producer)
    const { state } = transaction
    // An abort may arrive before any partition was added, because the producer's requests may still
    // be in flight.
    if (state !== 'Ongoing' && outcome === 'commit') throw new Refused('INVALID_TXN_STATE')
    this.#complete(transaction, outcome, producer.producerEpoch + 1)
    this.#bump(transaction, producer.producerEpoch)
    this.#save(transaction)
    return transaction.identity
  }

  /** Throws Refused. */
  #begin(transaction: Transaction): void {
    if (transaction.isPrepared) throw new Refused('CONCURRENT_TRANSACTIONS')
    if (transaction.state === 'Ongoing') return
    transaction.state = 'Ongoing'
    transaction.startedAtMs = this.#cluster.nowMs()
    transaction.timer = this.#cluster.timers.after(transaction.timeoutMs, () =>
      this.#timeOut(transaction),
    )
    this.#save(transaction)
  }

  /**
   * Aborts a transaction that timed out. With transaction.version 2 its producer may end it and
   * continue: the request counts as a repeated one, and returns the next epoch. Before that
   * version, the producer is fenced.
   */
  #timeOut(transaction: Transaction): void {
    const { finalized } = this.#cluster.features
    const isSecond = finalized.some(
      ({ name, level }) => name === 'transaction.version' && level >= 2,
    )
    const { producerEpoch } = transaction
    this.#complete(transaction, 'abort', producerEpoch + 1)
    this.#bump(transaction, isSecond ? producerEpoch : NO_EPOCH)
    this.#save(transaction)
  }

  /** Aborts the open transaction, and fences its producer. */
  #fence(transaction: Transaction): void {
    this.#complete(transaction, 'abort', transaction.producerEpoch + 1)
    this.#bump(transaction, NO_EPOCH)
    this.#save(transaction)
  }

  #bump(transaction: Transaction, lastProducerEpoch: number): void {
    transaction.bump(lastProducerEpoch, () => this.#cluster.newProducerId())
  }

  /**
   * Decides the outcome, and writes the markers after the configured delay; with a later epoch, they
   * fence the producer in the logs as well.
   */
  #complete(
    transaction: Transaction,
    outcome: TransactionResult,
    producerEpoch = transaction.producerEpoch,
  ): void {
    transaction.timer?.cancel()
    const producer = { producerId: transaction.producerId, producerEpoch }
    if (this.#markerDelayMs === 0) {
      this.#writeMarkers(transaction, producer, outcome)
      return
    }
    transaction.state = outcome === 'commit' ? 'PrepareCommit' : 'PrepareAbort'
    transaction.timer = this.#cluster.timers.after(this.#markerDelayMs, () =>
      this.#writeMarkers(transaction, producer, outcome),
    )
  }

  #writeMarkers(
    transaction: Transaction,
    producer: ProducerIdentity,
    outcome: TransactionResult,
  ): void {
    const nowMs = this.#cluster.nowMs()
    for (const partition of transaction.partitions) {
      if (partition.isDeleted) continue
      partition.appendRaw(endMarker(producer, outcome, nowMs), nowMs)
    }
    for (const group of transaction.groups) {
      this.#groups.find(group)?.offsets.endTransaction(producer.producerId, outcome)
    }
    transaction.partitions.clear()
    transaction.groups.clear()
    transaction.state = stateAfter(outcome)
    this.#save(transaction)
  }

  #save(transaction: Transaction): void {
    transaction.usedAtMs = this.#cluster.nowMs()
    const { id, producerId, producerEpoch, timeoutMs, state } = transaction
    const isOpen = state === 'Ongoing'
    const saved = { id, producerId: String(producerId), producerEpoch, timeoutMs, isOpen }
    this.#storage.save({ kind: 'transaction', ...saved })
  }
}

/** Throws Refused while the markers of the transaction are not written. */
function checkPrepared(transaction: Transaction, outcome: TransactionResult): void {
  if (!transaction.isPrepared) return
  const isSame = transaction.state === (outcome === 'commit' ? 'PrepareCommit' : 'PrepareAbort')
  throw new Refused(isSame ? 'CONCURRENT_TRANSACTIONS' : 'INVALID_TXN_STATE')
}

function stateAfter(outcome: TransactionResult) {
  return outcome === 'commit' ? 'CompleteCommit' : 'CompleteAbort'
}

/** The error for a fenced producer; it has its own code only since Kafka 2.7 (KIP-588). */
export function fencedError(error: ErrorName, knowsFenced: boolean): ErrorName {
  return error === 'PRODUCER_FENCED' && !knowsFenced ? 'INVALID_PRODUCER_EPOCH' : error
}
