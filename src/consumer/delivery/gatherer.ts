import { Deadline } from '../../async/deadline.ts'
import { deferred, type Deferred } from '../../async/deferred.ts'
import type { Inbox } from '../inbox.ts'
import type { Chunk, PartitionState } from '../partition-state.ts'
import type { TopicPartition } from '../topic-partition.ts'
import type { ConsumerMetrics } from '../../observe/metrics/client-metrics.ts'
import type { ConsumerBatch } from './consumer-batch.ts'
import { handleBatch, type BatchReporting } from './handle-batch.ts'

/** A batch, the chunk that it was made from, and how it is reported. */
export interface TakenBatch<Value, Key> {
  readonly batch: ConsumerBatch<Value, Key>
  readonly chunk: Chunk
  readonly reporting: BatchReporting
}

/** A partition of which messages were gathered. */
export interface GatheredPartition extends TopicPartition {
  /** The position before its first batch. */
  readonly firstOffset: number
  /** The position after its last batch. */
  readonly nextOffset: number
  /** The leader epoch of the last message before `nextOffset`; −1 if it is not known. */
  readonly leaderEpoch: number
}

interface Gathered {
  readonly firstOffset: number
  nextOffset: number
  leaderEpoch: number
}

/**
 * Batches of any partitions that are finished together, such as those of one transaction. They count as being
 * processed until `finish`: their partitions are not given up before, and the consumer does not commit them by
 * itself.
 */
export class Gatherer<Value, Key> {
  readonly #inbox: Inbox<Value, Key>
  readonly #take: () => TakenBatch<Value, Key> | undefined
  readonly #timeoutMs: number | undefined
  readonly #signal: AbortSignal | undefined
  readonly #metrics: ConsumerMetrics
  readonly #gathered = new Map<PartitionState, Gathered>()
  #finished: Deferred<void> = deferred()
  #last: TakenBatch<Value, Key> | undefined
  /** An error that occurred while batches were gathered; the batches gathered before can still be finished. */
  #problem: { readonly error: unknown } | undefined

  /** `timeoutMs`: how long `first` waits; undefined: without limit. */
  constructor(
    inbox: Inbox<Value, Key>,
    take: () => TakenBatch<Value, Key> | undefined,
    timeoutMs: number | undefined,
    signal: AbortSignal | undefined,
    metrics: ConsumerMetrics,
  ) {
    this.#inbox = inbox
    this.#take = take
    this.#timeoutMs = timeoutMs
    this.#signal = signal
    this.#metrics = metrics
  }

  /** Waits for a batch. Returns undefined at the end of the consumer. Throws the error that ended it. */
  first(): Promise<ConsumerBatch<Value, Key> | undefined> {
    const problem = this.#problem
    this.#problem = undefined
    if (problem !== undefined) throw problem.error
    return this.#next(this.#timeoutMs)
  }

  /**
   * Returns another batch to finish with the others. Returns undefined if none arrives in time, and if the gathered
   * ones have to be finished now because their partitions are about to be revoked or the consumer is being closed.
   */
  async more(withinMs: number): Promise<ConsumerBatch<Value, Key> | undefined> {
    try {
      return await this.#next(withinMs)
    } catch (error) {
      this.#problem = { error }
      return undefined
    }
  }

  get partitions(): readonly GatheredPartition[] {
    return [...this.#gathered].map(([{ topic, partition }, gathered]) => ({
      topic,
      partition,
      ...gathered,
    }))
  }

  /** True if a partition was taken away in the meantime: another member may be processing the same messages. */
  get hasLost(): boolean {
    return [...this.#gathered.keys()].some(({ isAssigned }) => !isAssigned)
  }

  /**
   * True if the application may have stopped in the middle of the last batch: it has read the batch's signal, which
   * is aborted.
   */
  get isLastInterrupted(): boolean {
    const chunk = this.#last?.chunk
    return chunk?.isInterruptible === true && chunk.state.signal.aborted
  }

  /** Calls a handler for the batch that was gathered last, and reports the call as that of a batch. */
  async handleLast(handler: (batch: ConsumerBatch<Value, Key>) => void | Promise<void>) {
    const last = this.#last
    if (last === undefined) return
    const { batch, chunk, reporting } = last
    const { state } = chunk
    const call = { state, batch, reporting, metrics: this.#metrics, isTraced: true }
    await handleBatch(call, () => handler(batch))
  }

  /** All gathered messages are processed, or their partitions were moved back to read them again. */
  finish(): void {
    for (const state of this.#gathered.keys()) {
      state.handling = undefined
      state.firstUnfinished = undefined
    }
    this.#gathered.clear()
    this.#last = undefined
    this.#finished.resolve()
    this.#finished = deferred()
  }

  async #next(withinMs: number | undefined): Promise<ConsumerBatch<Value, Key> | undefined> {
    const inbox = this.#inbox
    const deadline = withinMs === undefined ? undefined : new Deadline(withinMs)
    while (!this.#isToBeFinished) {
      this.#signal?.throwIfAborted()
      const taken = this.#take()
      if (taken !== undefined) return this.#keep(taken)
      if (inbox.isFinished) return undefined
      if (deadline?.isOver === true && !inbox.isTurnOver) return undefined
      await inbox.arrival(deadline?.remainingMs, this.#signal)
    }
    return undefined
  }

  get #isToBeFinished(): boolean {
    for (const state of this.#gathered.keys()) if (!state.isDeliverable) return true
    return false
  }

  #keep(taken: TakenBatch<Value, Key>): ConsumerBatch<Value, Key> {
    const { batch, chunk } = taken
    const { state, leaderEpoch } = chunk
    const { nextOffset } = batch
    const known = this.#gathered.get(state)
    if (known !== undefined) {
      known.nextOffset = nextOffset
      known.leaderEpoch = leaderEpoch
    } else {
      const gathered: Gathered = { firstOffset: chunk.start, nextOffset, leaderEpoch }
      this.#gathered.set(state, gathered)
      state.handling = this.#finished.promise
      state.firstUnfinished = () => gathered.firstOffset
    }
    this.#last = taken
    return batch
  }
}
