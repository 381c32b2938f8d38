import { StormError } from '../errors.ts'
import {
  LOG_LEVELS,
  type EmitMessage,
  type LogLevel,
  type StormConf,
  type TaskIds,
  type TopologyContext,
} from '../multilang/messages.ts'
import type { Host } from './host.ts'
import type { ComponentLogger } from './log.ts'
import { DEFAULT_STREAM, streamsOf, type Outputs, type StreamsOf } from './outputs.ts'
import type { Tuple } from './tuple.ts'

/** Called by the task that drives the component when the component's code has thrown. */
export const HANDLE_ERROR = Symbol('handle error')

/** The options of `emit` that spouts and bolts have in common. */
export interface EmitOptions<Stream extends string = string> {
  /** Default: `default`. */
  readonly stream?: Stream
  /** For a direct stream: the task that receives the tuple. */
  readonly directTask?: number
  /** Whether `emit` resolves with the tasks that receive the tuple. Default: false. */
  readonly needTaskIds?: boolean
}

/** Values in the order of the stream's fields, or by field name. */
export type Values<Out extends Outputs, Stream extends keyof StreamsOf<Out>> =
  readonly unknown[] | StreamsOf<Out>[Stream]

/** Sets the task that drives a component. */
export let attach: (component: Component, host: Host) => void

/** The common base of spouts and bolts. */
export abstract class Component {
  /** Whether the process ends, with code 1, when code of the component has thrown. Default: true. */
  exitOnException = true
  #host: Host | undefined
  #streams: ReadonlyMap<string, readonly string[]> | undefined

  static {
    attach = (component, host) => {
      component.#host = host
      component.#streams = streamFields(component, host)
    }
  }

  /** The topology's name, `topology.name`. */
  get topologyName(): string {
    const name = this.stormConf['topology.name']
    return typeof name === 'string' ? name : ''
  }

  /** The id of this task, which is unique in the topology. */
  get taskId(): number | undefined {
    return this.context.taskid
  }

  /** The component's name in the topology. */
  get componentName(): string {
    return this.host.componentName
  }

  /** The ids of all tasks of this component, in order. */
  get taskIds(): readonly number[] {
    return Object.entries(this.context['task->component'] ?? {})
      .filter(([, name]) => name === this.componentName)
      .map(([id]) => Number(id))
      .sort((a, b) => a - b)
  }

  /** Whether `topology.debug` is set. */
  get debug(): boolean {
    return this.stormConf['topology.debug'] === true
  }

  /** The topology's configuration, merged with the cluster's. */
  get stormConf(): StormConf {
    return this.host.conf
  }

  /** The position of this task in the topology. */
  get context(): TopologyContext {
    return this.host.context
  }

  /** The id of this process, which Storm's worker uses. */
  get pid(): number {
    return this.host.pid
  }

  /** Logs by level (`pystorm.log.level`), to Storm's log or to a file (`pystorm.log.path`). `console` does the same. */
  get logger(): ComponentLogger {
    return this.host.logger
  }

  /**
   * Called after the handshake, before the first tuple. Open the resources of the component here.
   */
  initialize(_conf: StormConf, _context: TopologyContext): void | Promise<void> {
    return undefined
  }

  /** Called when Storm disconnects or ends the process, which waits up to 3 seconds for it. */
  close(): void | Promise<void> {
    return undefined
  }

  /** Writes to Storm's log, at any level. */
  log(message: string, level: LogLevel = 'info'): void {
    this.host.send({ command: 'log', msg: message, level: LOG_LEVELS[level] })
  }

  /**
   * Reports an error to Storm, which logs it and shows it with the component. It does not fail a
   * tuple.
   */
  raiseError(error: unknown, tuple?: Tuple<object>): void {
    const where = tuple === undefined ? '' : ` while processing ${tuple.toString()}`
    this.host.send({ command: 'error', msg: `${nameOf(error)} raised${where}\n${stackOf(error)}` })
  }

  /**
   * Reports a value to a metric that is registered in the topology's worker. Storm ends the worker
   * for a name that is not registered, and only Java code can register one.
   */
  reportMetric(name: string, value: unknown): void {
    this.host.send({ command: 'metrics', name, params: value })
  }

  /** The task that drives the component. Throws StormError if there is none. */
  protected get host(): Host {
    if (this.#host !== undefined) return this.#host
    const reason = 'the component is not running: call this in initialize() or later'
    throw new StormError('NOT_RUNNING', `${this.constructor.name}: ${reason}`)
  }

  /** Sends a tuple. Throws StormError for an unknown stream, and for values that the stream or Storm cannot carry. */
  protected emitMessage(
    values: object,
    options: EmitOptions,
    rest: Pick<EmitMessage, 'anchors' | 'id'>,
  ): Promise<TaskIds> | undefined {
    const { stream, directTask, needTaskIds = false } = options
    const tuple = this.#listOf(values, stream ?? DEFAULT_STREAM)
    this.host.send({
      command: 'emit',
      tuple,
      ...rest,
      ...(stream === undefined ? {} : { stream }),
      ...(directTask === undefined ? {} : { task: directTask }),
      // Storm's default is true. For a direct emit the task is already known.
      ...(needTaskIds && directTask === undefined ? {} : { need_task_ids: false }),
    })
    if (!needTaskIds) return undefined
    return directTask === undefined ? this.host.taskIds() : Promise.resolve([directTask])
  }

  /** Handles an error of the component's code; the process may end in addition. */
  [HANDLE_ERROR](error: unknown): void {
    this.raiseError(error)
  }

  #listOf(values: object, stream: string): readonly unknown[] {
    const fields = this.#streams?.get(stream)
    if (this.#streams !== undefined && fields === undefined) {
      const known = [...this.#streams.keys()].join(', ') || 'no streams'
      throw this.#invalid(`emits to the stream '${stream}', but declares ${known}`)
    }
    const list = Array.isArray(values)
      ? // `Array.isArray` narrows to an array of any.
        (values as readonly unknown[])
      : this.#byName(values, stream, fields)
    if (fields !== undefined && list.length !== fields.length) {
      const expected = `${fields.length} (${fields.join(', ')})`
      throw this.#invalid(`emits ${list.length} values to '${stream}', which has ${expected}`)
    }
    for (const [index, value] of list.entries()) {
      const problem = this.host.problemWith(value)
      if (problem === undefined) continue
      throw this.#invalid(
        `emits to '${stream}', as ${fields?.[index] ?? `value ${index}`}, ${problem}`,
      )
    }
    return list
  }

  #byName(
    values: object,
    stream: string,
    fields: readonly string[] | undefined,
  ): readonly unknown[] {
    if (fields === undefined) {
      throw this.#invalid('emits values by name, but has no declared outputs: emit an array')
    }
    const other = Object.keys(values).find((name) => !fields.includes(name))
    if (other === undefined) return fields.map((field) => Reflect.get(values, field) as unknown)
    throw this.#invalid(`emits '${other}' to '${stream}', which has ${fields.join(', ')}`)
  }

  #invalid(problem: string): StormError {
    const { componentName } = this
    return new StormError('INVALID_TUPLE', `${componentName} ${problem}`, componentName)
  }
}

/**
 * Uses Storm's declaration of the topology if it is available, otherwise that of the class.
 * Undefined if neither is known.
 */
function streamFields(
  component: Component,
  { context, componentName }: Host,
): ReadonlyMap<string, readonly string[]> | undefined {
  const fromStorm = context['stream->outputfields']
  if (fromStorm !== undefined) return new Map(Object.entries(fromStorm))
  const declared: unknown = Reflect.get(component.constructor, 'outputs')
  if (declared === undefined) return undefined
  const streams = Object.entries(streamsOf(declared, componentName))
  return new Map(streams.map(([name, { fields }]) => [name, fields]))
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : 'Exception'
}

/** Includes its causes, if they have stacks. */
export function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const own = error.stack ?? error.message
  return error.cause === undefined ? own : `${own}\nCaused by: ${stackOf(error.cause)}`
}
