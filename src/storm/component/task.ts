import { isTaskIds, type Incoming, type TaskIds } from '../multilang/messages.ts'
import { attach, HANDLE_ERROR, stackOf, type Component } from './component.ts'
import type { Host, Place } from './host.ts'
import { numberOf } from './log.ts'
import { SerialQueue, type Job } from './serial.ts'

const DEFAULT_TIMEOUT_S = 30
/** How long `close` of a component may take. */
const CLOSE_MS = 3_000

/**
 * Drives one component by the messages that Storm sends it: one at a time, in order, without an answer to two kinds.
 * Task ids are what the code that emitted waits for, and a heartbeat asks whether the process is alive.
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
      send: (message) => place.send(message),
      problemWith: (value) => place.problemWith(value),
      exit: (code) => this.#exit(code),
      taskIds: () => new Promise((resolve) => this.#waitingForIds.push(resolve)),
      enqueue: (job) => this.queue.push(() => this.guarded('its own work', job)),
    }
    attach(component, host)
  }

  /** Whether nothing is being processed, and nothing waits. */
  get isIdle(): boolean {
    return this.queue.isIdle
  }

  /** Calls `initialize`; what arrives meanwhile waits. */
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
    if (waiting === undefined) this.place.logger.warn(`Storm sent task ids that no call waits for`)
    else waiting(message)
  }

  /** Reports an error that no call of the task's has thrown: of a timer, or of a promise that is not awaited. */
  reportStray(error: unknown): void {
    this.failed(error, true)
  }

  /** Ends the component: what has not begun is left undone, and `close` gets 3 seconds. */
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

  protected abstract take(message: Exclude<Incoming, TaskIds>): void

  /** Runs code of the application's; what it throws is handled, and ends the component as it is set. */
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

  /** Storm has the tuples of a component that never returns fail, and nothing says why: this does. */
  #watch(what: string): () => void {
    const { clock, conf, componentName, logger } = this.place
    const timeoutS = numberOf(conf, 'topology.message.timeout.secs') ?? DEFAULT_TIMEOUT_S
    return clock.after(timeoutS * 1_000, () =>
      logger.warn(
        `${componentName} has been busy with ${what} for ${timeoutS} s (topology.message.timeout.secs): nothing else of it runs until that returns`,
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
