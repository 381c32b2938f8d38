import type { TaskIds, TupleId } from '../multilang/messages.ts'
import { Component, type EmitOptions, type Values } from './component.ts'
import type { Outputs, StreamsOf } from './outputs.ts'

/** The options of a spout's `emit`. */
export interface SpoutEmitOptions<Stream extends string = string> extends EmitOptions<Stream> {
  /** The argument of `ack` and `fail`. A tuple without it is not tracked. */
  readonly id?: TupleId
}

/** A source of tuples. Its class declares the outputs: `static readonly outputs = ['word']`. */
export abstract class Spout<Out extends Outputs = Outputs> extends Component {
  /**
   * Emits the next tuples, if there are any. It is called again after it has finished. Storm waits
   * for it: if there is nothing to emit, return soon, for example after 20 ms.
   * `topology.spout.wait.progressive.level3.sleep.millis` makes Storm poll an idle spout less
   * often.
   */
  abstract nextTuple(): void | Promise<void>

  /** Called when a tuple and all tuples that followed from it are processed. */
  ack(_id: TupleId): void | Promise<void> {
    return undefined
  }

  /**
   * Called when a tuple or one that followed from it failed, or was not processed within
   * `topology.message.timeout.secs`.
   */
  fail(_id: TupleId): void | Promise<void> {
    return undefined
  }

  /** Called at the start and after `deactivate`. */
  activate(): void | Promise<void> {
    return undefined
  }

  /** Called when the topology is deactivated: `nextTuple` is not called again until `activate`. */
  deactivate(): void | Promise<void> {
    return undefined
  }

  /** Throws StormError for an unknown stream, and for values that the stream or Storm cannot carry. */
  emit<Stream extends keyof StreamsOf<Out> & string = 'default' & keyof StreamsOf<Out>>(
    values: Values<Out, Stream>,
    options: SpoutEmitOptions<Stream> & { readonly needTaskIds: true },
  ): Promise<TaskIds>
  /**
   * Emits a tuple. With `needTaskIds` it returns a promise of the tasks that receive the tuple,
   * otherwise nothing. Throws StormError for values that do not fit the stream.
   */
  emit<Stream extends keyof StreamsOf<Out> & string = 'default' & keyof StreamsOf<Out>>(
    values: Values<Out, Stream>,
    options?: SpoutEmitOptions<Stream>,
  ): void
  emit(values: object, options: SpoutEmitOptions = {}): Promise<TaskIds> | undefined {
    const { id } = options
    return this.emitMessage(values, options, id === undefined ? {} : { id })
  }
}
