import { Bolt, FAIL_OPEN, RECEIVE, WORK_ON } from './bolt.ts'
import { HANDLE_ERROR } from './component.ts'
import type { Outputs } from './outputs.ts'
import type { Tuple } from './tuple.ts'

type AnyFields = Readonly<Record<string, unknown>>

/**
 * Collects tuples and processes them in batches: after tick tuples, as in pystorm, or after a time,
 * a number of tuples or a number of bytes if those are set, whichever comes first. Tuples are acked
 * when their batch is processed.
 */
export abstract class BatchingBolt<
  In extends object = AnyFields,
  Out extends Outputs = Outputs,
  Key = unknown,
> extends Bolt<In, Out> {
  /**
   * How many tick tuples to wait for: each time this many have arrived, the batches are processed.
   * Ticks need `topology.tick.tuple.freq.secs`. Default: 1.
   */
  ticksBetweenBatches = 1
  /**
   * The time after which the batches are processed, again and again, in milliseconds. Needs no ticks. Default:
   * undefined, no time limit.
   */
  msBetweenBatches: number | undefined
  /** The batches are processed when they contain this many tuples in total. Default: undefined. */
  maxBatchTuples: number | undefined
  /**
   * The batches are processed when their values have this many bytes in total, as JSON. Default:
   * undefined.
   */
  maxBatchBytes: number | undefined

  #batches = new Map<Key | undefined, Tuple<In>[]>()
  /** The batch that is being processed. */
  #current: { readonly key: Key | undefined } | undefined
  /** A tuple that is not in a batch yet. */
  #arriving: Tuple<In> | undefined
  #ticks = 0
  #tuples = 0
  #bytes = 0
  #hasTimer = false

  /**
   * Returns the key of a tuple: tuples with the same key are in one batch. Default: all tuples have
   * the same key.
   */
  groupKey(_tuple: Tuple<In>): Key | undefined {
    return undefined
  }

  /** Processes a batch. */
  abstract processBatch(key: Key | undefined, tuples: readonly Tuple<In>[]): void | Promise<void>

  /** Adds a tuple to its batch. Override `groupKey` to select the batch. */
  override process(tuple: Tuple<In>): void {
    const key = this.groupKey(tuple)
    const batch = this.#batches.get(key)
    if (batch === undefined) this.#batches.set(key, [tuple])
    else batch.push(tuple)
    this.#tuples += 1
    this.#bytes += this.#bytesOf(tuple)
  }

  /** Processes the batches now, in the order of their first tuples. */
  async processBatches(): Promise<void> {
    for (const [key, batch] of this.#batches) {
      this.#current = { key }
      await this[WORK_ON](batch, () => this.processBatch(key, batch))
      this.#current = undefined
      this.#batches.delete(key)
    }
    this.#ticks = 0
    this.#count()
  }

  override [RECEIVE](tuple: Tuple<In>): void | Promise<void> {
    this.#startTimer()
    this.keep(tuple)
    if (tuple.isTick) return this.#tick(tuple)
    this.#arriving = tuple
    this.process(tuple)
    this.#arriving = undefined
    const { maxBatchTuples = Infinity, maxBatchBytes = Infinity } = this
    const isFull = this.#tuples >= maxBatchTuples || this.#bytes >= maxBatchBytes
    return isFull ? this.processBatches() : undefined
  }

  /** All batches fail if the process ends; otherwise only the one that was being processed. */
  override [HANDLE_ERROR](error: unknown): void {
    super[HANDLE_ERROR](error)
    const current = this.#current
    const arriving = this.#arriving
    this.#current = undefined
    this.#arriving = undefined
    if (this.autoFail && arriving !== undefined) this[FAIL_OPEN]([arriving])
    if (this.exitOnException) {
      if (this.autoFail) for (const batch of this.#batches.values()) this[FAIL_OPEN](batch)
      this.#batches.clear()
    } else if (current !== undefined) {
      this.#batches.delete(current.key)
    }
    this.#count()
  }

  #tick(tuple: Tuple<In>): void | Promise<void> {
    this.ack(tuple)
    this.#ticks += 1
    const isTime = this.#ticks > this.ticksBetweenBatches && this.#batches.size > 0
    return isTime ? this.processBatches() : undefined
  }

  #count(): void {
    const left = [...this.#batches.values()].flat()
    this.#tuples = left.length
    this.#bytes = left.reduce((sum, tuple) => sum + this.#bytesOf(tuple), 0)
  }

  #bytesOf({ values }: Tuple<In>): number {
    return this.maxBatchBytes === undefined ? 0 : Buffer.byteLength(JSON.stringify(values))
  }

  /** Starts the timer with the first tuple. It repeats, also after a failed batch. */
  #startTimer(): void {
    if (this.msBetweenBatches === undefined || this.#hasTimer) return
    this.#hasTimer = true
    this.host.clock.after(this.msBetweenBatches, () => {
      this.#hasTimer = false
      this.#startTimer()
      this.host.enqueue(() => (this.#batches.size > 0 ? this.processBatches() : undefined))
    })
  }
}
