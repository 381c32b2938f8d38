import { Deadline } from '../../async/deadline.ts'
import { deferred, type Deferred } from '../../async/deferred.ts'
import type { Inbox } from '../inbox.ts'
import type { Chunk, PartitionState } from '../partition-state.ts'
import type { TopicPartition } from '../topic-partition.ts'
import type { ConsumerBatch } from './consumer-batch.ts'

/** A batch and the chunk that it was made of. */
export interface TakenBatch<Value, Key> {
  readonly batch: ConsumerBatch<Value, Key>
  readonly chunk: Chunk
}

/** A partition with messages among what is gathered. */
export interface GatheredPartition extends TopicPartition {
  /** The position before its first batch. */
  readonly firstOffset: number
  /** The position behind its last batch. */
  readonly nextOffset: number
  /** Of the last message before `nextOffset`; −1 where it is not known. */
  readonly leaderEpoch: number
}

interface Gathered {
  readonly firstOffset: number
  nextOffset: number
  leaderEpoch: number
}

/**
 * Batches of any partitions that are finished together, such as those of one transaction. Until `finish` they count as
 * being processed: a partition is not given up before, and nothing of them is committed by the consumer itself.
 */
export class Gatherer<Value, Key> {
  readonly #inbox: Inbox<Value, Key>
  readonly #take: () => TakenBatch<Value, Key> | undefined
  readonly #timeoutMs: number | undefined
  readonly #signal: AbortSignal | undefined
  readonly #gathered = new Map<PartitionState, Gathered>()
  #finished: Deferred<void> = deferred()
  #last: Chunk | undefined
  /** What was thrown while batches were gathered that can still be finished. */
  #problem: { readonly error: unknown } | undefined

  /** `timeoutMs`: how long `first` waits; for ever where it is undefined. */
  constructor(
    inbox: Inbox<Value, Key>,
    take: () => TakenBatch<Value, Key> | undefined,
    timeoutMs: number | undefined,
    signal: AbortSignal | undefined,
  ) {
    this.#inbox = inbox
    this.#take = take
    this.#timeoutMs = timeoutMs
    this.#signal = signal
  }

  /** Waits for a batch; undefined at the end of what is consumed. Throws why nothing more comes. */
  first(): Promise<ConsumerBatch<Value, Key> | undefined> {
    const problem = this.#problem
    this.#problem = undefined
    if (problem !== undefined) throw problem.error
    return this.#next(this.#timeoutMs)
  }

  /**
   * Another batch to be finished with the others; undefined where none comes in time, and where those there are have to
   * be finished now, as their partitions are to be given up or the consumer is being closed.
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

  /** Whether a partition was taken away meanwhile: another member may be processing the same messages. */
  get hasLost(): boolean {
    return [...this.#gathered.keys()].some(({ isAssigned }) => !isAssigned)
  }

  /** Whether the application may have left the last batch half done: it has looked at its signal, which is aborted. */
  get isLastInterrupted(): boolean {
    return this.#last?.isInterruptible === true && this.#last.state.signal.aborted
  }

  /** All that was gathered is processed, or was put back by moving its partitions. */
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

  #keep({ batch, chunk }: TakenBatch<Value, Key>): ConsumerBatch<Value, Key> {
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
    this.#last = chunk
    return batch
  }
}
