import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../component/clock.ts'
import { stackOf } from '../component/component.ts'
import type { Place } from '../component/host.ts'
import { loggerOf, type ComponentLogger } from '../component/log.ts'
import type { Task } from '../component/task.ts'
import { taskOf } from '../component/task-of.ts'
import { StormError } from '../errors.ts'
import { JsonWire } from '../multilang/json-wire.ts'
import {
  handshakeOf,
  incomingOf,
  LOG_LEVELS,
  type Handshake,
  type TopologyContext,
} from '../multilang/messages.ts'
import { isMsgpack, loadMsgpack } from '../multilang/msgpack-wire.ts'
import type { Wire } from '../multilang/wire.ts'
import { descriptionOf, writeDescription } from '../topology/description.ts'
import type { Topology } from '../topology/topology.ts'
import { reserveStdout } from './reserved-stdout.ts'
import { MessageWriter, writeAll } from './stdio.ts'

/** An exception; pystorm exits with the same code. */
const EXCEPTION = 1
/** Standard input or output has ended: the worker has ended. */
const STORM_WENT_AWAY = 2
const STDOUT = 1

/**
 * Runs the component of the topology for which Storm starts this process, with the multilang
 * protocol on standard input and output. The call is the last line of a topology's file. Storm
 * sends the name of the component; for a Storm before 0.10, `node topology.cjs NAME` names it. If
 * `SAMSA_STORM_DESCRIBE` is set, which may name an environment, it prints the topology as JSON
 * instead, and runs nothing.
 */
export function runTopology(topology: Topology): void {
  const asked = process.env['SAMSA_STORM_DESCRIBE']
  if (asked === undefined) {
    new ComponentProcess(topology).start()
    return
  }
  const environment = asked === '' || asked === '1' ? undefined : asked
  writeAll(STDOUT, Buffer.from(`${writeDescription(descriptionOf(topology, environment))}\n`))
  // The file may have opened something that keeps the process alive.
  process.exit(0)
}

class ComponentProcess {
  readonly #topology: Topology
  /** Known after Storm's first message. */
  #wire: Wire | undefined
  readonly #writer: MessageWriter
  #task: Task | undefined
  #logger: ComponentLogger
  #isEnding = false

  constructor(topology: Topology) {
    this.#topology = topology
    this.#writer = new MessageWriter(STDOUT, new JsonWire(), () => this.#end(STORM_WENT_AWAY))
    this.#logger = this.#plainLogger()
  }

  start(): void {
    reserveStdout(() => this.#logger)
    process.stdin.on('data', (chunk: Buffer) => this.#receive(chunk))
    process.stdin.on('end', () => this.#end(STORM_WENT_AWAY))
    process.stdin.on('error', () => this.#end(STORM_WENT_AWAY))
    // The ways in which Storm ends a component.
    process.on('SIGTERM', () => this.#end(STORM_WENT_AWAY))
    process.on('SIGINT', () => this.#end(STORM_WENT_AWAY))
    process.on('uncaughtException', (error) => this.#stray(error))
    process.on('unhandledRejection', (reason) => this.#stray(reason))
  }

  #receive(chunk: Buffer): void {
    if (this.#isEnding) return
    if (this.#wire === undefined) {
      if (isMsgpack(chunk)) {
        process.stdin.pause()
        void this.#switchToMsgpack(chunk)
        return
      }
      this.#wire = new JsonWire()
    }
    try {
      for (const message of this.#wire.decode(chunk)) {
        if (this.#task === undefined) this.#onHandshake(handshakeOf(message))
        else this.#task.receive(incomingOf(message))
      }
    } catch (error) {
      this.#fail(error)
    }
  }

  async #switchToMsgpack(chunk: Buffer): Promise<void> {
    try {
      this.#wire = await loadMsgpack()
      this.#writer.wire = this.#wire
    } catch (error) {
      // Storm accepts only MessagePack here; its log shows what is written to standard error.
      process.stderr.write(`${stackOf(error)}\n`)
      process.exit(EXCEPTION)
    }
    this.#receive(chunk)
    process.stdin.resume()
  }

  /** The pid comes first: Storm fails if anything else is sent before it. */
  #onHandshake(handshake: Handshake): void {
    const { pidDir, conf, context } = handshake
    const { pid } = process
    const wire = this.#wire ?? new JsonWire()
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
      isPipe: true,
      problemWith: (value) => wire.problemWith(value),
      exit: (code) => this.#end(code),
    }
    this.#task = taskOf(this.#topology.create(componentName), place)
    this.#task.start()
  }

  #stray(error: unknown): void {
    if (this.#task === undefined) this.#fail(error)
    else this.#task.reportStray(error)
  }

  /** For errors outside the component's own calls. */
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
    // Keeps the process alive, because timers of the component do not.
    const keeper = setInterval(() => undefined, 1_000)
    const closed = this.#task?.close() ?? Promise.resolve()
    void closed.then(exit, exit).finally(() => clearInterval(keeper))
  }

  #plainLogger(): ComponentLogger {
    const at = (level: keyof typeof LOG_LEVELS) => (message: string) => {
      // Before the handshake only the pid may be sent.
      if (this.#task === undefined) process.stderr.write(`${message}\n`)
      else this.#writer.send({ command: 'log', msg: message, level: LOG_LEVELS[level] })
    }
    return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
  }
}

function componentIn({ componentid, taskid, ...context }: TopologyContext): string {
  const name = componentid ?? context['task->component']?.[String(taskid)] ?? process.argv[2]
  if (name !== undefined) return name
  throw new StormError(
    'PROTOCOL',
    'the handshake from Storm does not name the component of this process',
  )
}
