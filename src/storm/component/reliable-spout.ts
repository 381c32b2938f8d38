import { StormError } from '../errors.ts'
import type { TaskIds, TupleId } from '../multilang/messages.ts'
import type { Outputs } from './outputs.ts'
import { Spout, type SpoutEmitOptions } from './spout.ts'

/** A tuple that was emitted, is not acked, and has not been dropped. */
export interface Unacked {
  /** The values as they were emitted. */
  readonly values: object
  /** The options that they were emitted with. */
  readonly options: SpoutEmitOptions
}

/** A spout that emits failed tuples again, up to `maxFails` times, and then drops them. */
export abstract class ReliableSpout<Out extends Outputs = Outputs> extends Spout<Out> {
  /** How often a tuple may fail and be emitted again. Default: 3. */
  maxFails = 3
  /** How often each pending tuple has failed. */
  readonly failedTuples = new Map<TupleId, number>()
  /** The pending tuples: emitted, not acked, and not dropped. */
  readonly unackedTuples = new Map<TupleId, Unacked>()

  /** Removes the tuple. A subclass that overrides it calls `super.ack(id)`. */
  override ack(id: TupleId): void | Promise<void> {
    this.failedTuples.delete(id)
    if (this.unackedTuples.delete(id)) return
    this.logger.error(`Received ack for unknown tuple id: ${id}`)
  }

  /**
   * Emits the tuple again, or drops it if it has failed more than `maxFails` times. A subclass that
   * overrides it calls `super.fail(id)`.
   */
  override fail(id: TupleId): void | Promise<void> {
    const unacked = this.unackedTuples.get(id)
    if (unacked === undefined) {
      this.logger.error(`Received fail for unknown tuple id: ${id}`)
      return
    }
    const fails = this.failedTuples.get(id) ?? 0
    if (fails >= this.maxFails) {
      this.logger.info(`Giving up tuple ${id}, which has failed more than ${this.maxFails} times`)
      return this.ack(id)
    }
    this.failedTuples.set(id, fails + 1)
    // No caller waits for the task ids of this emit.
    const options = { ...unacked.options, needTaskIds: false }
    void this.emitMessage(unacked.values, options, { id })
  }

  /** Emits and stores a tuple. `id` is required. Throws StormError. */
  override emit(
    values: object,
    options: SpoutEmitOptions & { readonly needTaskIds: true },
  ): Promise<TaskIds>
  /**
   * Emits a tuple, and stores it until Storm acks it. Throws StormError for values that do not fit
   * the stream.
   */
  override emit(values: object, options?: SpoutEmitOptions): void
  override emit(values: object, options: SpoutEmitOptions = {}): Promise<TaskIds> | undefined {
    const { id } = options
    if (id === undefined) {
      const reason = 'emits without an id: a ReliableSpout identifies tuples by their ids'
      throw new StormError('INVALID_TUPLE', `${this.componentName} ${reason}`, this.componentName)
    }
    const sent = this.emitMessage(values, options, { id })
    this.unackedTuples.set(id, { values, options })
    return sent
  }
}
