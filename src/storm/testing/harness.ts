import { systemClock } from '../component/clock.ts'
import type { Component } from '../component/component.ts'
import type { Place } from '../component/host.ts'
import { loggerOf } from '../component/log.ts'
import type { Task } from '../component/task.ts'
import { JsonWire } from '../multilang/json-wire.ts'
import type {
  Incoming,
  Outgoing,
  StormConf,
  TaskIds,
  TopologyContext,
  TupleId,
} from '../multilang/messages.ts'
import { FakeClock } from './fake-clock.ts'

/** A tuple that a component has emitted, with its values as Storm would have sent them. */
export interface EmittedTuple {
  /** The values, in the order of the stream's fields. */
  readonly values: readonly unknown[]
  /** The stream that the tuple was emitted to. */
  readonly stream: string
  /** The ids of the tuples to which it is anchored. */
  readonly anchors: readonly string[]
  /** The id that a spout gave it. */
  readonly id: TupleId | undefined
  /** The task that the component chose; undefined unless the stream is direct. */
  readonly directTask: number | undefined
}

/** A line that the component has logged. */
export interface LoggedLine {
  /** Storm's number: 0 trace, 1 debug, 2 info, 3 warn, 4 error. */
  readonly level: number
  /** The text of the line. */
  readonly message: string
}

/** The messages that a component has sent since the last look at them, or in total. */
export interface Sent {
  /** The tuples that the component has emitted. */
  readonly emitted: readonly EmittedTuple[]
  /** The ids of the tuples that the component has acked. */
  readonly acked: readonly string[]
  /** The ids of the tuples that the component has failed. */
  readonly failed: readonly string[]
  /** The errors that were reported by `raiseError` or thrown. */
  readonly errors: readonly string[]
  /** The metrics that the component has reported. */
  readonly metrics: readonly { readonly name: string; readonly value: unknown }[]
  /** The lines that the component has logged. */
  readonly logs: readonly LoggedLine[]
}

/** The options of a test harness. */
export interface HarnessOptions {
  /** Default: the name of the class. */
  readonly componentName?: string
  /** Storm's settings. Default: none. */
  readonly conf?: StormConf
  /**
   * Further properties of the topology context that Storm sends. The task is 1, unless `taskid` is
   * given.
   */
  readonly context?: TopologyContext
  /**
   * `fake`: time stands still until `advance` moves it. `real`: for a component that waits for something outside of the
   * process. Default: fake.
   */
  readonly time?: 'fake' | 'real'
  /** Storm's response to an emit that asks for task ids. Default: `[1]`. */
  readonly taskIds?: (emitted: EmittedTuple) => TaskIds
}

/**
 * Runs one component in this process with the messages that Storm would send, and with a fake
 * clock.
 */
export abstract class Harness<Tested extends Component> {
  /** The component under test. */
  readonly component: Tested
  /** The clock of the component. */
  readonly clock = new FakeClock()
  /**
   * The code with which the process would have ended: 1 after an exception. Undefined while it
   * would run.
   */
  exitCode: number | undefined
  /** The same messages in the form in which Storm would get them, in order. */
  readonly messages: Outgoing[] = []
  readonly #task: Task
  readonly #taskIds: (emitted: EmittedTuple) => TaskIds
  #seen = 0

  constructor(
    component: Tested,
    makeTask: (component: Tested, place: Place) => Task,
    options: HarnessOptions,
  ) {
    const { conf = {}, context = {}, taskIds = () => [1] } = options
    const { componentName = component.constructor.name } = options
    const wire = new JsonWire()
    const clock = options.time === 'real' ? systemClock : this.clock
    this.component = component
    this.#taskIds = taskIds
    const task = { taskid: 1, componentid: componentName, 'task->component': { 1: componentName } }
    const send = (message: Outgoing): void => this.#take(message)
    this.#task = makeTask(component, {
      ...{ componentName, conf, send },
      context: { ...task, ...context },
      pid: process.pid,
      clock,
      isPipe: false,
      logger: loggerOf({
        ...{ conf, send },
        names: { topology: '', component: componentName, task: 1, pid: process.pid },
        clock,
      }),
      problemWith: (value) => wire.problemWith(value),
      exit: (code) => {
        this.exitCode = code
      },
    })
    this.#task.start()
  }

  /** Everything that the component has sent. */
  get sent(): Sent {
    return sentOf(this.messages)
  }

  /**
   * Advances the clock, and waits for the work that this starts. Resolves with what the component
   * then sent.
   */
  async advance(ms: number): Promise<Sent> {
    this.clock.advance(ms)
    return this.settled()
  }

  /** Calls `close` of the component. */
  close(): Promise<void> {
    return this.#task.close()
  }

  /** Resolves when nothing is being processed, with what was sent since the last time. */
  async settled(): Promise<Sent> {
    do await new Promise<void>((done) => setImmediate(done))
    while (!this.#task.isIdle && this.exitCode === undefined)
    const since = this.messages.slice(this.#seen)
    this.#seen = this.messages.length
    return sentOf(since)
  }

  protected receive(message: Incoming): void {
    this.#task.receive(message)
  }

  #take(message: Outgoing): void {
    // A copy, as Storm would receive it: later changes have no effect.
    this.messages.push(JSON.parse(JSON.stringify(message)) as Outgoing)
    const isEmit = 'command' in message && message.command === 'emit'
    if (!isEmit || message.need_task_ids === false) return
    const [emitted] = sentOf([message]).emitted
    queueMicrotask(() => this.#task.receive(this.#taskIds(emitted!)))
  }
}

export function sentOf(messages: readonly Outgoing[]): Sent {
  const emitted: EmittedTuple[] = []
  const acked: string[] = []
  const failed: string[] = []
  const errors: string[] = []
  const metrics: { name: string; value: unknown }[] = []
  const logs: LoggedLine[] = []
  for (const message of messages) {
    if (!('command' in message)) continue
    switch (message.command) {
      case 'emit': {
        const { tuple, stream = 'default', anchors = [], id, task } = message
        emitted.push({ values: tuple, stream, anchors, id, directTask: task })
        break
      }
      case 'ack':
        acked.push(message.id)
        break
      case 'fail':
        failed.push(message.id)
        break
      case 'error':
        errors.push(message.msg)
        break
      case 'metrics':
        metrics.push({ name: message.name, value: message.params })
        break
      case 'log':
        logs.push({ level: message.level, message: message.msg })
        break
      case 'sync':
        break
    }
  }
  return { emitted, acked, failed, errors, metrics, logs }
}
