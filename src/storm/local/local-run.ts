import { systemClock, type Clock } from '../component/clock.ts'
import type { Place } from '../component/host.ts'
import { loggerOf, numberOf } from '../component/log.ts'
import type { Task } from '../component/task.ts'
import { taskOf } from '../component/task-of.ts'
import { StormError } from '../errors.ts'
import { JsonWire } from '../multilang/json-wire.ts'
import type {
  EmitMessage,
  Outgoing,
  SpoutCommand,
  StormConf,
  TopologyContext,
} from '../multilang/messages.ts'
import { FakeClock } from '../testing/fake-clock.ts'
import { sentOf, type EmittedTuple, type LoggedLine } from '../testing/harness.ts'
import type { ComponentModel } from '../topology/model.ts'
import type { Topology } from '../topology/topology.ts'
import { AckTrees, settle, type Root } from './ack-trees.ts'
import { Routes } from './routes.ts'

/** The options for running a topology in this process. */
export interface LocalRunOptions {
  /** The environment whose parallelism and settings are used. Default: none. */
  readonly environment?: string
  /** Settings that take precedence over the topology's. */
  readonly config?: StormConf
  /**
   * `real`, or `fake`: time stands still until `advance` moves it, and spouts are called once for
   * each millisecond of it. Default: real.
   */
  readonly time?: 'real' | 'fake'
  /** Called for each line that a component logs. */
  readonly onLog?: (component: string, line: LoggedLine) => void
}

const DEFAULT_TIMEOUT_S = 30
/** The time after which an idle spout is called again. */
const IDLE_MS = 1
/** Any wait that a timer can have: the timer only keeps the process alive. */
const LONGEST_WAIT_MS = 2 ** 31 - 1
/** Spouts wait while this many tuples wait for bolts. */
const MOST_WAITING = 1_000
const DIRECT_TICK = { comp: '__system', stream: '__tick', task: -1 }

interface Runner {
  readonly id: number
  readonly model: ComponentModel
  readonly task: Task
  /** The state of a spout: unanswered commands, and tuples that are not acked. */
  asked: number
  pending: number
  hasEmitted: boolean
  isNextDue: boolean
}

/**
 * A complete topology that runs in this process, without Storm or Java. Created by `runLocally`.
 */
export class LocalRun implements AsyncDisposable {
  readonly #clock: Clock
  readonly #fake: FakeClock | undefined
  readonly #trees: AckTrees
  readonly #routes: Routes
  readonly #runners = new Map<number, Runner>()
  readonly #maxPending: number
  readonly #hasAckers: boolean
  readonly #emitted = new Map<string, EmittedTuple[]>()
  readonly #acked = new Map<string, number>()
  readonly #failed = new Map<string, number>()
  readonly #lastErrors = new Map<string, string>()
  readonly #changed = new Set<() => void>()
  /** The timers of components do not keep the process alive, so this one does until the run ends. */
  #keepAlive: NodeJS.Timeout | undefined
  #waiting = 0
  #isActive = true
  #isStopped = false
  #error: StormError | undefined

  constructor(topology: Topology, options: LocalRunOptions) {
    const { environment, config, time = 'real' } = options
    this.#fake = time === 'fake' ? new FakeClock() : undefined
    this.#clock = this.#fake ?? systemClock
    const conf: StormConf = {
      'topology.name': topology.name,
      ...topology.config(environment),
      ...config,
    }
    const timeoutS = numberOf(conf, 'topology.message.timeout.secs') ?? DEFAULT_TIMEOUT_S
    const isTimed = conf['topology.enable.message.timeouts'] !== false
    this.#trees = new AckTrees(this.#clock, isTimed ? timeoutS * 1_000 : undefined)
    this.#maxPending = numberOf(conf, 'topology.max.spout.pending') ?? Infinity
    this.#hasAckers = conf['topology.acker.executors'] !== 0
    const { components } = topology
    let lastTask = 0
    const tasksOf = new Map(
      components.map(({ name }) => [
        name,
        Array.from({ length: topology.parallelism(name, environment) }, () => ++lastTask),
      ]),
    )
    this.#routes = new Routes(components, tasksOf)
    for (const model of components) {
      for (const id of tasksOf.get(model.name)!) {
        const ofComponent = { ...conf, ...model.config }
        const context = contextOf(components, tasksOf, model, id)
        const place = this.#placeOf(id, model, ofComponent, context, options)
        const task = taskOf(topology.create(model.name), place)
        this.#runners.set(id, {
          ...{ id, model, task, asked: 0, pending: 0 },
          hasEmitted: false,
          isNextDue: false,
        })
      }
    }
    for (const runner of this.#runners.values()) {
      runner.task.start()
      this.#startTicks(runner, { ...conf, ...runner.model.config })
    }
    for (const runner of this.#spouts()) {
      this.#ask(runner, { command: 'activate' })
      this.#nextSoon(runner, 0)
    }
    // A component may have failed, and ended the run, already.
    if (this.#fake === undefined && !this.#isStopped) {
      this.#keepAlive = setInterval(() => undefined, LONGEST_WAIT_MS)
    }
  }

  /** The error that ended the run, because a component has thrown. */
  get error(): StormError | undefined {
    return this.#error
  }

  /**
   * The tuples that the component has emitted, from all its tasks, in order. Default stream:
   * default.
   */
  emitted(component: string, stream = 'default'): readonly EmittedTuple[] {
    return this.#emitted.get(`${component}:${stream}`) ?? []
  }

  /** How many tuples of the spout were acked. */
  acked(spout: string): number {
    return this.#acked.get(spout) ?? 0
  }

  /** How many times tuples of the spout have failed. */
  failed(spout: string): number {
    return this.#failed.get(spout) ?? 0
  }

  /**
   * Resolves when the condition is true; it is evaluated after each event. Throws the error that
   * ended the run.
   */
  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      this.#check()
      await new Promise<void>((resolve) => this.#changed.add(resolve))
    }
  }

  /**
   * Advances a fake clock, and waits for the work that this starts. Throws the error that ended the
   * run.
   */
  async advance(ms: number): Promise<void> {
    const clock = this.#fake
    if (clock === undefined) {
      const reason = "advancing the time requires the option time: 'fake'"
      throw new StormError('INVALID_ARGUMENT', reason)
    }
    const end = clock.now() + ms
    await this.#quiet()
    while (clock.now() < end && this.#error === undefined) {
      const due = clock.nextDue ?? end
      clock.advance(Math.min(Math.max(due, clock.now()), end) - clock.now())
      await this.#quiet()
    }
    this.#check()
  }

  /** Deactivates the spouts: they emit nothing until `activate`. */
  deactivate(): void {
    if (!this.#isActive) return
    this.#isActive = false
    for (const spout of this.#spouts()) this.#ask(spout, { command: 'deactivate' })
  }

  /** Lets the spouts emit again after `deactivate`. */
  activate(): void {
    if (this.#isActive) return
    this.#isActive = true
    for (const spout of this.#spouts()) {
      this.#ask(spout, { command: 'activate' })
      this.#nextSoon(spout, 0)
    }
  }

  /** Ends the run, and calls `close` of each component. */
  async stop(): Promise<void> {
    if (this.#isStopped) return
    this.#isStopped = true
    clearInterval(this.#keepAlive)
    this.#notify()
    const closing = [...this.#runners.values()].map(({ task }) => task.close())
    await Promise.all(closing)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  #spouts(): readonly Runner[] {
    return [...this.#runners.values()].filter(({ model }) => model.kind === 'spout')
  }

  #placeOf(
    id: number,
    { name }: ComponentModel,
    conf: StormConf,
    context: TopologyContext,
    { onLog }: LocalRunOptions,
  ): Place {
    const wire = new JsonWire()
    const send = (message: Outgoing): void => {
      if ('command' in message && message.command === 'log') {
        onLog?.(name, { level: message.level, message: message.msg })
      }
      this.#take(this.#runners.get(id), name, message)
    }
    const topology = String(conf['topology.name'])
    return {
      ...{ componentName: name, conf, context, pid: process.pid, clock: this.#clock, send },
      logger: loggerOf({
        ...{ conf, send, clock: this.#clock },
        names: { topology, component: name, task: id, pid: process.pid },
      }),
      problemWith: (value) => wire.problemWith(value),
      isPipe: false,
      exit: () => this.#end(name),
    }
  }

  #take(runner: Runner | undefined, name: string, message: Outgoing): void {
    if (!('command' in message) || this.#isStopped || runner === undefined) return
    switch (message.command) {
      case 'emit':
        this.#emit(runner, name, message)
        break
      case 'ack':
        this.#waiting -= 1
        this.#trees.ack(message.id)
        break
      case 'fail':
        this.#waiting -= 1
        this.#trees.fail(message.id)
        break
      case 'error':
        this.#lastErrors.set(name, message.msg)
        break
      case 'sync':
        if (runner.model.kind === 'spout') this.#answered(runner)
        break
      case 'log':
      case 'metrics':
        break
    }
    this.#notify()
  }

  #emit(runner: Runner, name: string, message: EmitMessage): void {
    // A copy, as Storm would send it: later changes of the values have no effect.
    const carried = JSON.parse(JSON.stringify(message)) as EmitMessage
    const { tuple, stream = 'default', id, task: directTask, anchors = [] } = carried
    const list = this.#emitted.get(`${name}:${stream}`) ?? []
    list.push(...sentOf([carried]).emitted)
    this.#emitted.set(`${name}:${stream}`, list)
    const targets = this.#routes.tasksFor(name, stream, tuple, directTask)
    runner.hasEmitted = true
    if (message.need_task_ids !== false) queueMicrotask(() => runner.task.receive(targets))
    const root =
      runner.model.kind === 'spout' && id !== undefined && this.#hasAckers
        ? this.#open(runner, id)
        : undefined
    const roots = root === undefined ? this.#trees.rootsOf(anchors) : [root]
    // All are added before any of them can be acked.
    const deliveries = targets.map((target) => [target, this.#trees.add(roots)] as const)
    for (const [target, tupleId] of deliveries) {
      this.#waiting += 1
      this.#runners.get(target)!.task.receive({
        ...{ id: tupleId, comp: name, stream, task: runner.id, tuple },
      })
    }
    if (root !== undefined && targets.length === 0) settle(root, 'ack')
    if (runner.model.kind === 'spout' && id !== undefined && !this.#hasAckers) {
      queueMicrotask(() => this.#ask(runner, { command: 'ack', id }))
    }
  }

  #open(runner: Runner, id: string | number): Root {
    runner.pending += 1
    return this.#trees.open(id, (command) => {
      runner.pending -= 1
      const counts = command === 'ack' ? this.#acked : this.#failed
      counts.set(runner.model.name, (counts.get(runner.model.name) ?? 0) + 1)
      // This must not run within the bolt's own call.
      queueMicrotask(() => {
        this.#ask(runner, { command, id })
        this.#notify()
      })
    })
  }

  #ask(runner: Runner, command: SpoutCommand): void {
    if (this.#isStopped) return
    runner.asked += 1
    runner.task.receive(command)
  }

  #answered(runner: Runner): void {
    runner.asked = Math.max(0, runner.asked - 1)
    if (runner.asked > 0) return
    const isBusy = runner.hasEmitted && this.#fake === undefined
    this.#nextSoon(runner, isBusy ? 0 : IDLE_MS)
  }

  /** Asks the spout for more tuples, if there is room for them. */
  #nextSoon(runner: Runner, waitMs: number): void {
    if (runner.isNextDue) return
    runner.isNextDue = true
    const next = (): void => {
      runner.isNextDue = false
      if (this.#isStopped || !this.#isActive || runner.asked > 0) return
      if (runner.pending >= this.#maxPending || this.#waiting >= MOST_WAITING) {
        this.#nextSoon(runner, IDLE_MS)
        return
      }
      runner.hasEmitted = false
      this.#ask(runner, { command: 'next' })
    }
    if (waitMs === 0) setImmediate(next)
    else this.#clock.after(waitMs, next)
  }

  #startTicks({ task, model }: Runner, conf: StormConf): void {
    const seconds = numberOf(conf, 'topology.tick.tuple.freq.secs')
    if (seconds === undefined || model.kind === 'spout') return
    const tick = (): void => {
      if (this.#isStopped) return
      this.#waiting += 1
      task.receive({ ...DIRECT_TICK, id: this.#trees.add([]), tuple: [seconds] })
      this.#clock.after(seconds * 1_000, tick)
    }
    this.#clock.after(seconds * 1_000, tick)
  }

  #end(component: string): void {
    const reason = this.#lastErrors.get(component) ?? 'it ended its process'
    this.#error ??= new StormError('TOPOLOGY_FAILED', `${component}: ${reason}`, component)
    void this.stop()
  }

  #check(): void {
    if (this.#error !== undefined) throw this.#error
    if (this.#isStopped) throw new StormError('NOT_RUNNING', 'the topology is stopped')
  }

  #notify(): void {
    for (const resolve of this.#changed) resolve()
    this.#changed.clear()
  }

  /** Resolves when no code of a component runs, and only timers are pending. */
  async #quiet(): Promise<void> {
    const isIdle = (): boolean => [...this.#runners.values()].every(({ task }) => task.isIdle)
    do {
      await new Promise<void>((resolve) => setImmediate(resolve))
      await new Promise<void>((resolve) => setImmediate(resolve))
    } while (!isIdle() && !this.#isStopped)
  }
}

/** The topology context that Storm sends to a task. */
function contextOf(
  components: readonly ComponentModel[],
  tasksOf: ReadonlyMap<string, readonly number[]>,
  { name, streams, inputs }: ComponentModel,
  id: number,
): TopologyContext {
  const fieldsOf = (of: ComponentModel['streams']) =>
    Object.fromEntries(Object.entries(of).map(([stream, { fields }]) => [stream, fields]))
  const sources = new Set(inputs.map(({ component }) => component))
  return {
    taskid: id,
    componentid: name,
    'task->component': Object.fromEntries(
      [...tasksOf].flatMap(([component, tasks]) => tasks.map((task) => [String(task), component])),
    ),
    streams: Object.keys(streams),
    'stream->outputfields': fieldsOf(streams),
    'source->stream->fields': Object.fromEntries(
      components
        .filter((component) => sources.has(component.name))
        .map((component) => [component.name, fieldsOf(component.streams)]),
    ),
  }
}

/**
 * Runs a complete topology in this process, without Storm or Java: with acking, timeouts and ticks.
 * It is meant for tests, and for trying out a topology. The run continues until it is stopped, or a
 * component throws.
 */
export function runLocally(topology: Topology, options: LocalRunOptions = {}): LocalRun {
  return new LocalRun(topology, options)
}
