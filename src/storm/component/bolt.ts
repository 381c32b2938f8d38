import { StormError } from '../errors.ts'
import type { TaskIds } from '../multilang/messages.ts'
import { Component, HANDLE_ERROR, type EmitOptions, type Values } from './component.ts'
import { currentTuples, runWork, type Work } from './current.ts'
import type { Outputs, StreamsOf } from './outputs.ts'
import type { Tuple } from './tuple.ts'

/** Called by the task that drives the bolt, for each tuple, including ticks. */
export const RECEIVE = Symbol('receive')
/** Runs code of the application as the processing of these tuples. */
export const WORK_ON = Symbol('work on')
/** After an error, fails the tuples that are neither acked nor failed. */
export const FAIL_OPEN = Symbol('fail open')

/** The options of a bolt's `emit`. */
export interface BoltEmitOptions<Stream extends string = string> extends EmitOptions<Stream> {
  /**
   * The tuples from which this one follows. Default with `autoAnchor`: the tuple that is being
   * processed.
   */
  readonly anchors?: readonly (Tuple<object> | string)[]
}

type AnyFields = Readonly<Record<string, unknown>>

/** Processes tuples. `In` has the types of their values by field name. */
export abstract class Bolt<
  In extends object = AnyFields,
  Out extends Outputs = Outputs,
> extends Component {
  /** Whether emits are anchored to the tuple that is being processed. Default: true. */
  autoAnchor = true
  /**
   * Whether a tuple is acked when `process` has finished, unless it is already acked or failed.
   * Default: true.
   */
  autoAck = true
  /** Whether a tuple fails when `process` throws. Default: true. */
  autoFail = true
  /** The ids of tuples that are neither acked nor failed. */
  readonly #open = new Set<string>()
  #work: Work | undefined

  /**
   * Processes a tuple. The next tuple is delivered after this call has finished: one at a time, in
   * order.
   */
  abstract process(tuple: Tuple<In>): void | Promise<void>

  /** Called every `topology.tick.tuple.freq.secs`, if that is set. */
  processTick(_tuple: Tuple): void | Promise<void> {
    return undefined
  }

  /** Throws StormError for an unknown stream, for values that the stream or Storm cannot carry, and for anchors that are acked or failed. */
  emit<Stream extends keyof StreamsOf<Out> & string = 'default' & keyof StreamsOf<Out>>(
    values: Values<Out, Stream>,
    options: BoltEmitOptions<Stream> & { readonly needTaskIds: true },
  ): Promise<TaskIds>
  /**
   * Emits a tuple. With `needTaskIds` it returns a promise of the tasks that receive the tuple,
   * otherwise nothing. Throws StormError for values that do not fit the stream.
   */
  emit<Stream extends keyof StreamsOf<Out> & string = 'default' & keyof StreamsOf<Out>>(
    values: Values<Out, Stream>,
    options?: BoltEmitOptions<Stream>,
  ): void
  emit(values: object, options: BoltEmitOptions = {}): Promise<TaskIds> | undefined {
    const given = options.anchors ?? (this.autoAnchor ? currentTuples(this) : [])
    const anchors = given.map((anchor) => (typeof anchor === 'string' ? anchor : anchor.id))
    for (const id of anchors) this.#checkOpen(id)
    return this.emitMessage(values, options, { anchors })
  }

  /** Acks a tuple: it is processed. */
  ack(tuple: Tuple<object> | string): void {
    this.#settle('ack', tuple)
  }

  /** Fails a tuple: its spout may emit it again. */
  fail(tuple: Tuple<object> | string): void {
    this.#settle('fail', tuple)
  }

  [RECEIVE](tuple: Tuple<In>): void | Promise<void> {
    return this[WORK_ON]([tuple], () =>
      // A tick has Storm's own fields, not those of In.
      tuple.isTick ? this.processTick(tuple as Tuple<object> as Tuple) : this.process(tuple),
    )
  }

  /** Runs code that processes these tuples, and finishes the tuples afterwards. */
  [WORK_ON](
    tuples: readonly Tuple<object>[],
    run: () => void | Promise<void>,
  ): void | Promise<void> {
    const work: Work = { component: this, tuples }
    this.#work = work
    for (const { id } of tuples) this.#open.add(id)
    const running = runWork(work, run)
    if (running instanceof Promise) return running.then(() => this.#finish(work))
    this.#finish(work)
  }

  /** Records that a tuple has arrived and is not processed yet. */
  protected keep(tuple: Tuple<object>): void {
    this.#open.add(tuple.id)
  }

  override [HANDLE_ERROR](error: unknown): void {
    const tuples = this.#work?.tuples ?? []
    this.#work = undefined
    this.raiseError(error, tuples[0])
    this.host.send({ command: 'sync' })
    if (this.autoFail) this[FAIL_OPEN](tuples)
  }

  [FAIL_OPEN](tuples: readonly Tuple<object>[]): void {
    for (const tuple of tuples) if (this.#open.has(tuple.id)) this.fail(tuple)
  }

  #finish({ tuples }: Work): void {
    this.#work = undefined
    if (!this.autoAck) return
    for (const tuple of tuples) if (this.#open.has(tuple.id)) this.ack(tuple)
  }

  /** Acks or fails a tuple. A second ack or fail is only logged, because Storm would end the worker. */
  #settle(command: 'ack' | 'fail', tuple: Tuple<object> | string): void {
    const id = typeof tuple === 'string' ? tuple : tuple.id
    if (this.#open.delete(id)) this.host.send({ command, id })
    else
      this.logger.warn(`${this.componentName} ${command}s ${id}, which is already acked or failed`)
  }

  /** Throws StormError for an anchor that is acked or failed: Storm would end the worker. */
  #checkOpen(id: string): void {
    if (this.#open.has(id)) return
    const { componentName } = this
    const reason = `emits with the anchor ${id}, which is already acked or failed: await everything that process() starts, or emit with anchors: []`
    throw new StormError('INVALID_TUPLE', `${componentName} ${reason}`, componentName)
  }
}
