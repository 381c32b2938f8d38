import { inspect } from 'node:util'
import { StormError } from '../errors.ts'

type AnyFields = Readonly<Record<string, unknown>>

/** Storm's unit of data. `Fields` has the types of its values by field name. */
export class Tuple<Fields extends object = AnyFields> {
  /** The id that Storm uses while the tuple is being processed: for `ack`, `fail` and anchors. */
  readonly id: string
  /** The component that emitted it. */
  readonly component: string
  /** The stream of the tuple; `default` unless its emitter names another one. */
  readonly stream: string
  /** The task that emitted it. */
  readonly task: number
  /** The values, in the order of the stream's fields. */
  readonly values: readonly unknown[]
  readonly #names: readonly string[] | undefined
  #fields: Fields | undefined

  constructor(
    id: string,
    component: string,
    stream: string,
    task: number,
    values: readonly unknown[],
    names?: readonly string[],
  ) {
    this.id = id
    this.component = component
    this.stream = stream
    this.task = task
    this.values = values
    this.#names = names
  }

  /**
   * The values by field name, created when they are first read. Throws StormError before Storm
   * 0.10, which does not send the names.
   */
  get fields(): Fields {
    this.#fields ??= this.#byName()
    return this.#fields
  }

  /** Whether it is a tick tuple, which Storm sends every `topology.tick.tuple.freq.secs`. */
  get isTick(): boolean {
    return this.component === '__system' && this.stream === '__tick'
  }

  /** Returns the tuple with its values, for logs. */
  toString(): string {
    const { id, component, stream, task, values } = this
    return `Tuple(${inspect({ id, component, stream, task, values }, { breakLength: Infinity, maxStringLength: 1_000, maxArrayLength: 20 })})`
  }

  #byName(): Fields {
    const names = this.#names
    if (names === undefined) {
      const reason = `the field names of ${this.component}:${this.stream} are not known: use values`
      throw new StormError('INVALID_TUPLE', reason, this.component)
    }
    // The declaration of the emitting component ensures that the values have these types.
    return Object.fromEntries(names.map((name, index) => [name, this.values[index]])) as Fields
  }
}
