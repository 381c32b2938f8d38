/** The messages of Storm's multilang protocol, in both directions. */

/** A topology's configuration, merged with the cluster's, by Storm's own names: `topology.max.spout.pending`. */
export type StormConf = Readonly<Record<string, unknown>>

/** The position of a task in its topology. Storm before 0.10 sends only the first two fields. */
export interface TopologyContext {
  /** The name of the component of each task, by the id of the task. */
  readonly 'task->component'?: Readonly<Record<string, string>>
  /** The id of this task. */
  readonly taskid?: number
  /** The name of this component in the topology. */
  readonly componentid?: string
  /** The names of the streams that this component emits. */
  readonly streams?: readonly string[]
  /** The fields of each of these streams, by the name of the stream. */
  readonly 'stream->outputfields'?: Readonly<Record<string, readonly string[]>>
  /** How each of these streams is grouped, by the name of the component that receives it. */
  readonly 'stream->target->grouping'?: Readonly<Record<string, unknown>>
  /**
   * How each stream that this component receives is grouped, by the name of the emitting component.
   */
  readonly 'source->stream->grouping'?: Readonly<Record<string, unknown>>
  /**
   * The fields of each stream that this component receives, by the name of the emitting component.
   */
  readonly 'source->stream->fields'?: Readonly<
    Record<string, Readonly<Record<string, readonly string[]>>>
  >
}

/** The first message from Storm. */
export interface Handshake {
  /** The folder in which the process creates an empty file named by its pid. */
  readonly pidDir: string
  readonly conf: StormConf
  readonly context: TopologyContext
}

export interface TupleMessage {
  readonly id: string | null
  /** Storm's heartbeats have no tuple id. */
  readonly comp?: string | null
  readonly stream: string
  readonly task: number
  readonly tuple: readonly unknown[]
}

/** The id that a spout gave a tuple. */
export type TupleId = string | number

export type SpoutCommand =
  | { readonly command: 'next' | 'activate' | 'deactivate' }
  | { readonly command: 'ack' | 'fail'; readonly id: TupleId }

/** The tasks that receive a tuple, in the order of the emits that asked for them. */
export type TaskIds = readonly number[]

/** The messages that Storm sends after the handshake. */
export type Incoming = TupleMessage | SpoutCommand | TaskIds

export interface EmitMessage {
  readonly command: 'emit'
  readonly tuple: readonly unknown[]
  readonly id?: TupleId
  readonly stream?: string
  readonly anchors?: readonly string[]
  /** Emits directly to this task. */
  readonly task?: number
  /** Storm responds with the task ids unless this is false. */
  readonly need_task_ids?: boolean
}

/** Storm's numbers for levels (STORM-414). */
export const LOG_LEVELS = { trace: 0, debug: 1, info: 2, warn: 3, error: 4 } as const
/** The levels of a worker's log. */
export type LogLevel = keyof typeof LOG_LEVELS

export type Outgoing =
  | { readonly pid: number }
  | EmitMessage
  | { readonly command: 'ack' | 'fail'; readonly id: string }
  | { readonly command: 'log'; readonly msg: string; readonly level: number }
  | { readonly command: 'error'; readonly msg: string }
  | { readonly command: 'metrics'; readonly name: string; readonly params: unknown }
  | { readonly command: 'sync' }

export function isTaskIds(message: Incoming): message is TaskIds {
  return Array.isArray(message)
}

export function isCommand(message: Incoming): message is SpoutCommand {
  return 'command' in message
}

/** Storm checks that a bolt is alive: the response is `sync`. */
export function isHeartbeat(message: TupleMessage): boolean {
  return message.task === -1 && message.stream === '__heartbeat'
}

/** Throws if Storm's first message is invalid. */
export function handshakeOf(message: unknown): Handshake {
  if (isObject(message) && typeof message['pidDir'] === 'string') {
    const { pidDir, conf, context } = message
    if (isObject(conf) && isObject(context)) return { pidDir, conf, context }
  }
  throw new TypeError(`the first message from Storm is not a handshake: ${shortened(message)}`)
}

/** Throws for a message that the protocol does not define. */
export function incomingOf(message: unknown): Incoming {
  // Storm sends no other objects; an unknown command is an error of the task.
  if (typeof message === 'object' && message !== null) return message as Incoming
  throw new TypeError(`a message from Storm is not valid: ${shortened(message)}`)
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function shortened(message: unknown): string {
  const text = JSON.stringify(message)
  return text.length > 200 ? `${text.slice(0, 200)}…` : text
}
