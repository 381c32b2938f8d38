import { isCommand, type SpoutCommand, type TupleMessage } from '../multilang/messages.ts'
import type { Place } from './host.ts'
import { numberOf } from './log.ts'
import type { Spout } from './spout.ts'
import { Task } from './task.ts'

const DEFAULT_SUBPROCESS_TIMEOUT_S = 30
const LONGEST_PATIENCE_MS = 5_000

/**
 * Drives a spout. Storm waits for `sync` after each command, and ends the worker if none arrives
 * within `topology.subprocess.timeout.secs`. So a command that takes long is answered before it has
 * finished: Storm reads the tuples that it emits afterwards with the next command. `nextTuple` is
 * not called again meanwhile.
 */
export class SpoutTask extends Task<Spout> {
  readonly #patienceMs: number
  /** The number of unanswered `next` commands that arrived while `nextTuple` was running. */
  #repeated: (() => void)[] = []
  #isNextQueued = false

  constructor(spout: Spout, place: Place) {
    super(spout, place)
    const timeoutS =
      numberOf(place.conf, 'topology.subprocess.timeout.secs') ?? DEFAULT_SUBPROCESS_TIMEOUT_S
    this.#patienceMs = Math.min(LONGEST_PATIENCE_MS, (timeoutS * 1_000) / 3)
  }

  protected take(message: TupleMessage | SpoutCommand): void {
    if (!isCommand(message)) {
      this.place.logger.error('Storm sent a tuple to a spout')
      return
    }
    const answer = this.#answerOnce()
    if (message.command !== 'next') {
      this.queue.push(() => this.#run(message, answer))
    } else if (this.#isNextQueued) {
      this.#repeated.push(answer.send)
    } else {
      this.#isNextQueued = true
      this.queue.push(() => this.#run(message, answer))
    }
    if (!answer.isSent()) answer.isLateAfter(this.#patienceMs)
  }

  #run(command: SpoutCommand, answer: Answer): void | Promise<void> {
    const running = this.guarded(`the command ${command.command}`, () => this.#execute(command))
    const finish = (): void => {
      answer.send()
      if (command.command === 'next') this.#finishNext()
    }
    if (running instanceof Promise) return running.then(finish)
    finish()
  }

  #execute(command: SpoutCommand): void | Promise<void> {
    const spout = this.component
    switch (command.command) {
      case 'next':
        return spout.nextTuple()
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

  #finishNext(): void {
    this.#isNextQueued = false
    const repeated = this.#repeated
    this.#repeated = []
    for (const send of repeated) send()
  }

  /** Sends the one `sync` for a command. */
  #answerOnce(): Answer {
    let isSent = false
    let withdraw: (() => void) | undefined
    const send = (): void => {
      withdraw?.()
      if (isSent) return
      isSent = true
      this.place.send({ command: 'sync' })
    }
    return {
      send,
      isSent: () => isSent,
      isLateAfter: (waitMs) => {
        withdraw = this.place.clock.after(waitMs, send)
      },
    }
  }
}

interface Answer {
  readonly send: () => void
  isSent(): boolean
  isLateAfter(waitMs: number): void
}
