import { isTaskIds, type Incoming, type Outgoing, type TaskIds } from '../multilang/messages.ts'
import { attach, HANDLE_ERROR, stackOf, type Component } from './component.ts'
import type { Host, Place } from './host.ts'
import { numberOf } from './log.ts'
import { SerialQueue, type Job } from './serial.ts'

const DEFAULT_TIMEOUT_S = 30
/** The time limit for `close` of a component. */
const CLOSE_MS = 3_000

/**
 * Drives one component by the messages of Storm, one at a time and in order. Two kinds of messages
 * are handled at once: task ids, because code that emitted waits for them, and heartbeats, which
 * check that the process is alive.
 */
export abstract class Task<Driven extends Component = Component> {
  protected readonly component: Driven
  protected readonly place: Place
  protected readonly queue = new SerialQueue()
  readonly #waitingForIds: ((ids: TaskIds) => void)[] = []
  #hasEnded = false

  constructor(component: Driven, place: Place) {
    this.component = component
    this.place = place
    const host: Host = {
      componentName: place.componentName,
      conf: place.conf,
      context: place.context,
      pid: place.pid,
      clock: place.clock,
      logger: place.logger,
      send: (message) => this.send(message),
      problemWith: (value) => place.problemWith(value),
      exit: (code) => this.#exit(code),
      taskIds: () => new Promise((resolve) => this.#waitingForIds.push(resolve)),
      enqueue: (job) => this.queue.push(() => this.guarded('work that it started itself', job)),
    }
    attach(component, host)
  }

  /** Whether nothing is being processed, and no message waits. */
  get isIdle(): boolean {
    return this.queue.isIdle
  }

  /** Calls `initialize`; messages that arrive meanwhile wait. */
  start(): void {
    const { conf, context } = this.place
    this.queue.push(() =>
      this.guarded('initialize()', () => this.component.initialize(conf, context), true),
    )
  }

  receive(message: Incoming): void {
    if (this.#hasEnded) return
    if (!isTaskIds(message)) {
      this.take(message)
      return
    }
    const waiting = this.#waitingForIds.shift()
    if (waiting === undefined)
      this.place.logger.warn(`Storm sent task ids, but no call waits for them`)
    else waiting(message)
  }

  /**
   * Reports an error that was thrown outside the task's calls: in a timer, or in a promise that is
   * not awaited.
   */
  reportStray(error: unknown): void {
    this.failed(error, true)
  }

  /** Ends the component: waiting messages are dropped, and `close` gets 3 seconds. */
  async close(): Promise<void> {
    this.#hasEnded = true
    this.queue.clear()
    let withdraw: () => void = () => undefined
    const late = new Promise<void>((resolve) => {
      withdraw = this.place.clock.after(CLOSE_MS, resolve)
    })
    try {
      await Promise.race([this.component.close(), late])
    } catch (error) {
      this.place.logger.error(`close() of ${this.place.componentName} threw: ${stackOf(error)}`)
    } finally {
      withdraw()
    }
  }

  /** Sends a message of the component. */
  protected send(message: Outgoing): void {
    this.place.send(message)
  }

  protected abstract take(message: Exclude<Incoming, TaskIds>): void

  /**
   * Runs code of the application. Its errors are handled, and end the component unless the options
   * prevent it.
   */
  protected guarded(what: string, job: Job, isFatal = false): void | Promise<void> {
    if (this.#hasEnded) return
    try {
      const running = job()
      if (!(running instanceof Promise)) return
      const withdraw = this.#watch(what)
      return running.catch((error: unknown) => this.failed(error, isFatal)).finally(withdraw)
    } catch (error) {
      this.failed(error, isFatal)
    }
  }

  protected failed(error: unknown, isFatal: boolean): void {
    try {
      this.component[HANDLE_ERROR](error)
    } catch (nested) {
      this.place.logger.error(`${stackOf(nested)}\nwhile handling ${stackOf(error)}`)
    }
    if (isFatal || this.component.exitOnException) this.#exit(1)
  }

  /** Logs a component that does not return in time: Storm only fails its tuples and reports no reason. */
  #watch(what: string): () => void {
    const { clock, conf, componentName, logger } = this.place
    const timeoutS = numberOf(conf, 'topology.message.timeout.secs') ?? DEFAULT_TIMEOUT_S
    return clock.after(timeoutS * 1_000, () =>
      logger.warn(
        `${componentName} has been busy with ${what} for ${timeoutS} s (topology.message.timeout.secs): it does nothing else until that returns`,
      ),
    )
  }

  #exit(code: number): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.queue.clear()
    this.place.exit(code)
  }
}
