import { EventEmitter } from 'node:events'
import { textOf } from './text.ts'
import { KafkaJSNonRetriableError } from './errors.ts'
import type { Logger } from './types/common.ts'
import type { InstrumentationEvent, On } from './types/events.ts'

let nextId = 0

/** Emits the events of a producer, consumer or admin client. */
export class Emitter<Events extends object> {
  readonly #emitter = new EventEmitter().setMaxListeners(0)
  /** Emits `change` when a listener was added or removed. */
  readonly #changes = new EventEmitter().setMaxListeners(0)
  readonly #names: ReadonlySet<string>
  readonly #known: string
  readonly #logger: Logger

  /** `names` are the constants of `owner.events`, where `owner` is `producer`, `consumer` or `admin`. */
  constructor(owner: string, names: object, logger: Logger) {
    // All constants are strings.
    this.#names = new Set(Object.values(names) as string[])
    this.#known = Object.keys(names)
      .map((key) => `${owner}.events.${key}`)
      .join(', ')
    this.#logger = logger
  }

  /** Whether the event has listeners. */
  has(name: keyof Events & string): boolean {
    return this.#emitter.listenerCount(name) > 0
  }

  /**
   * Calls `start` while one of these events has listeners, and the function that it returns when none of them has
   * listeners any more. The returned function ends both.
   */
  whileListening(names: readonly (keyof Events & string)[], start: () => () => void): () => void {
    let stop: (() => void) | undefined
    const update = (hasListener: boolean): void => {
      if (hasListener) stop ??= start()
      else {
        stop?.()
        stop = undefined
      }
    }
    const onChange = (): void => update(names.some((name) => this.has(name)))
    this.#changes.on('change', onChange)
    onChange()
    return () => {
      this.#changes.off('change', onChange)
      update(false)
    }
  }

  emit<Name extends keyof Events & string>(
    name: Name,
    ...[payload]: Events[Name] extends InstrumentationEvent<null>
      ? []
      : Events[Name] extends InstrumentationEvent<infer Payload>
        ? [payload: Payload]
        : never
  ): void {
    if (!this.has(name)) return
    this.#emitter.emit(name, { id: nextId++, type: name, timestamp: Date.now(), payload })
  }

  readonly on: On<Events> = (eventName, listener): (() => void) => {
    // Its type is a key of Events, all of which are strings.
    const name = eventName as string
    if (!this.#names.has(name)) {
      throw new KafkaJSNonRetriableError(`Event name should be one of ${this.#known}`)
    }
    const call = (event: Events[typeof eventName]): void => {
      void this.#call(name, () => listener(event))
    }
    this.#emitter.on(name, call)
    this.#changes.emit('change')
    return () => {
      this.#emitter.off(name, call)
      this.#changes.emit('change')
    }
  }

  /** Logs the error of a listener that throws or rejects, which does not affect the client. */
  async #call(eventName: string, listener: () => unknown): Promise<void> {
    try {
      await listener()
    } catch (error) {
      const stack = error instanceof Error ? error.stack : undefined
      this.#logger.error(`Failed to execute listener: ${textOf(error)}`, { eventName, stack })
    }
  }
}
