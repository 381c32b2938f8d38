import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { Bolt } from '../component/bolt.ts'
import { BoltTask } from '../component/bolt-task.ts'
import { systemClock } from '../component/clock.ts'
import { stackOf, type Component } from '../component/component.ts'
import type { Place } from '../component/host.ts'
import { loggerOf, type Logger } from '../component/log.ts'
import { Spout } from '../component/spout.ts'
import { SpoutTask } from '../component/spout-task.ts'
import type { Task } from '../component/task.ts'
import { StormError } from '../errors.ts'
import { JsonWire } from '../multilang/json-wire.ts'
import {
  handshakeOf,
  incomingOf,
  LOG_LEVELS,
  type Handshake,
  type TopologyContext,
} from '../multilang/messages.ts'
import type { Wire } from '../multilang/wire.ts'
import type { Topology } from '../topology/topology.ts'
import { reserveStdout } from './reserved-stdout.ts'
import { MessageWriter } from './stdio.ts'

/** An exception; what pystorm exits with, too. */
const EXCEPTION = 1
/** Standard input or output has ended: the worker is gone. */
const STORM_WENT_AWAY = 2
const STDOUT = 1

/**
 * Runs the component of the topology that Storm starts this process for, by the multilang protocol on standard input
 * and output: the last line of a topology's file. Storm says which component it is; `node topology.cjs NAME` says it
 * for a Storm before 0.10. With `SAMSA_STORM_DESCRIBE` set, which may name an environment, it prints the topology as
 * JSON instead, and runs nothing.
 */
export function runTopology(topology: Topology): void {
  const describe = process.env['SAMSA_STORM_DESCRIBE']
  if (describe === undefined) new ComponentProcess(topology).start()
  else process.stdout.write(`${JSON.stringify(descriptionOf(topology, describe))}\n`)
}

/** What `SAMSA_STORM_DESCRIBE` prints. Bytes and longs of Java components are strings in it. */
function descriptionOf(topology: Topology, environment: string): object {
  const options = environment === '' || environment === '1' ? {} : { environment }
  const plain: unknown = JSON.parse(
    JSON.stringify(topology.toStorm(options), (_key, value: unknown) =>
      typeof value === 'bigint' ? value.toString() : value,
    ),
  )
  const { name } = topology
  return { name, config: topology.config(options.environment), topology: plain }
}

class ComponentProcess {
  readonly #topology: Topology
  readonly #wire: Wire
  readonly #writer: MessageWriter
  #task: Task | undefined
  #logger: Logger
  #isEnding = false

  constructor(topology: Topology) {
    this.#topology = topology
    this.#wire = new JsonWire()
    this.#writer = new MessageWriter(STDOUT, this.#wire, () => this.#end(STORM_WENT_AWAY))
    this.#logger = this.#plainLogger()
  }

  start(): void {
    reserveStdout(() => this.#logger)
    process.stdin.on('data', (chunk: Buffer) => this.#receive(chunk))
    process.stdin.on('end', () => this.#end(STORM_WENT_AWAY))
    process.stdin.on('error', () => this.#end(STORM_WENT_AWAY))
    // Storm's ways to end a component.
    process.on('SIGTERM', () => this.#end(STORM_WENT_AWAY))
    process.on('SIGINT', () => this.#end(STORM_WENT_AWAY))
    process.on('uncaughtException', (error) => this.#stray(error))
    process.on('unhandledRejection', (reason) => this.#stray(reason))
  }

  #receive(chunk: Buffer): void {
    if (this.#isEnding) return
    try {
      for (const message of this.#wire.decode(chunk)) {
        if (this.#task === undefined) this.#shakeHands(handshakeOf(message))
        else this.#task.receive(incomingOf(message))
      }
    } catch (error) {
      this.#fail(error)
    }
  }

  /** The pid comes first: Storm fails on anything that is sent before it. */
  #shakeHands(handshake: Handshake): void {
    const { pidDir, conf, context } = handshake
    const { pid } = process
    closeSync(openSync(join(pidDir, String(pid)), 'w'))
    this.#writer.send({ pid })
    this.#writer.flush()
    const componentName = componentIn(context)
    const topologyName = conf['topology.name']
    const send: Place['send'] = (message) => this.#writer.send(message)
    this.#logger = loggerOf({
      conf,
      names: {
        topology: typeof topologyName === 'string' ? topologyName : this.#topology.name,
        component: componentName,
        task: context.taskid,
        pid,
      },
      clock: systemClock,
      send,
    })
    const place: Place = {
      ...{ componentName, conf, context, pid, send },
      clock: systemClock,
      logger: this.#logger,
      problemWith: (value) => this.#wire.problemWith(value),
      exit: (code) => this.#end(code),
    }
    this.#task = taskOf(this.#topology.create(componentName), place)
    this.#task.start()
  }

  #stray(error: unknown): void {
    if (this.#task === undefined) this.#fail(error)
    else this.#task.reportStray(error)
  }

  /** For what happens outside of the component's own calls. */
  #fail(error: unknown): void {
    this.#writer.send({ command: 'error', msg: stackOf(error) })
    this.#end(EXCEPTION)
  }

  #end(code: number): void {
    if (this.#isEnding) return
    this.#isEnding = true
    process.stdin.pause()
    const exit = (): void => {
      this.#writer.flush()
      process.exit(code)
    }
    // Keeps the process alive: timers of the component do not.
    const keeper = setInterval(() => undefined, 1_000)
    const closed = this.#task?.close() ?? Promise.resolve()
    void closed.then(exit, exit).finally(() => clearInterval(keeper))
  }

  #plainLogger(): Logger {
    const at = (level: keyof typeof LOG_LEVELS) => (message: string) => {
      // Before the handshake nothing may be sent but the pid.
      if (this.#task === undefined) process.stderr.write(`${message}\n`)
      else this.#writer.send({ command: 'log', msg: message, level: LOG_LEVELS[level] })
    }
    return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
  }
}

/** Drives a component of either kind. */
export function taskOf(component: Component, place: Place): Task {
  if (component instanceof Spout) return new SpoutTask(component as Spout, place)
  if (component instanceof Bolt) return new BoltTask(component as Bolt, place)
  const reason = `'${place.componentName}' extends neither Spout nor Bolt`
  throw new StormError('INVALID_TOPOLOGY', reason, place.componentName)
}

function componentIn({ componentid, taskid, ...context }: TopologyContext): string {
  const name = componentid ?? context['task->component']?.[String(taskid)] ?? process.argv[2]
  if (name !== undefined) return name
  throw new StormError('PROTOCOL', 'Storm has not said which component this process is')
}
