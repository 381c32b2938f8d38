import {
  isCommand,
  type Outgoing,
  type SpoutCommand,
  type TupleMessage,
} from '../multilang/messages.ts'
import type { Clock } from './clock.ts'
import { EarlySyncs } from './early-syncs.ts'
import type { Place } from './host.ts'
import { numberOf } from './log.ts'
import type { Spout } from './spout.ts'
import { Task } from './task.ts'

const DEFAULT_SUBPROCESS_TIMEOUT_S = 30
const LONGEST_PATIENCE_MS = 5_000
const SYNC: Outgoing = { command: 'sync' }

/**
 * Drives a spout. Storm waits for `sync` after each command, and ends the worker if none arrives within
 * `topology.subprocess.timeout.secs`. So the `sync` of a long command is sent before the command has finished: Storm
 * reads the tuples that it emits afterwards with the next command. `nextTuple` is not called again meanwhile. While
 * many tuples are being processed, syncs are also sent before their commands arrive (`EarlySyncs`).
 */
export class SpoutTask extends Task<Spout> {
  readonly #patienceMs: number
  readonly #maxPending: number
  readonly #early: EarlySyncs | undefined
  /** The unanswered `next` commands that arrived while `nextTuple` was running. */
  #repeated: Answer[] = []
  #isNextQueued = false

  constructor(spout: Spout, place: Place) {
    super(spout, place)
    const { conf } = place
    const timeoutS =
      numberOf(conf, 'topology.subprocess.timeout.secs') ?? DEFAULT_SUBPROCESS_TIMEOUT_S
    this.#patienceMs = Math.min(LONGEST_PATIENCE_MS, (timeoutS * 1_000) / 3)
    this.#maxPending = numberOf(conf, 'topology.max.spout.pending') ?? Infinity
    // Without ackers Storm acks a tuple while it reads it, within the command that has emitted it.
    const hasAckers = numberOf(conf, 'topology.acker.executors') !== 0
    this.#early = place.isPipe && hasAckers ? new EarlySyncs() : undefined
  }

  protected override send(message: Outgoing): void {
    if ('command' in message && message.command === 'emit' && message.id !== undefined) {
      this.#early?.countEmit()
    }
    super.send(message)
  }

  protected take(message: TupleMessage | SpoutCommand): void {
    if (!isCommand(message)) {
      this.place.logger.error('Storm sent a tuple to a spout')
      return
    }
    const { command } = message
    const isEarly = this.#early?.countCommand(command === 'ack' || command === 'fail') ?? false
    const answer = new Answer(isEarly, () => this.#sync())
    if (command === 'next' && this.#isNextQueued) {
      this.#repeated.push(answer)
    } else {
      if (command === 'next') this.#isNextQueued = true
      this.queue.push(() => this.#run(message, answer))
    }
    if (!answer.isSent) answer.isLateAfter(this.#patienceMs, this.place.clock)
  }

  #run(command: SpoutCommand, answer: Answer): void | Promise<void> {
    const running = this.guarded(`the command ${command.command}`, () => this.#execute(command))
    if (running instanceof Promise) return running.then(() => this.#finish(command, answer))
    this.#finish(command, answer)
  }

  #execute(command: SpoutCommand): void | Promise<void> {
    const spout = this.component
    switch (command.command) {
      case 'next':
        return this.#isFull ? undefined : spout.nextTuple()
      case 'ack':
        return spout.ack(command.id)
      case 'fail':
        return spout.fail(command.id)
      case 'activate':
        return spout.activate()
      case 'deactivate':
        return spout.deactivate()
      default:
        this.place.logger.error(`Storm sent an unknown command: ${JSON.stringify(command)}`)
    }
  }

  /**
   * Whether the limit of pending tuples is reached. Storm sends no `next` at the limit, but does not count tuples that
   * it has not read yet.
   */
  get #isFull(): boolean {
    return this.#early !== undefined && this.#early.pending >= this.#maxPending
  }

  #finish({ command }: SpoutCommand, answer: Answer): void {
    answer.send()
    if (command === 'next') {
      this.#isNextQueued = false
      const repeated = this.#repeated
      this.#repeated = []
      for (const one of repeated) one.send()
    } else if (this.#early !== undefined) {
      for (let room = this.#early.room; room > 0; room--) this.#sync()
    }
  }

  #sync(): void {
    this.#early?.countSync()
    this.place.send(SYNC)
  }
}

/** The one `sync` for a command. */
class Answer {
  readonly #sync: () => void
  #isSent: boolean
  #withdraw: (() => void) | undefined

  /** `isEarly`: it was sent before the command arrived. */
  constructor(isEarly: boolean, sync: () => void) {
    this.#isSent = isEarly
    this.#sync = sync
  }

  get isSent(): boolean {
    return this.#isSent
  }

  send(): void {
    if (this.#isSent) return
    this.#isSent = true
    this.#withdraw?.()
    this.#sync()
  }

  isLateAfter(waitMs: number, clock: Clock): void {
    this.#withdraw = clock.after(waitMs, () => this.send())
  }
}
