import { inspect } from 'node:util'
import { StormError } from '../errors.ts'

type AnyFields = Readonly<Record<string, unknown>>

/** Storm's unit of data. `Fields` are the types of its values by field name. */
export class Tuple<Fields extends object = AnyFields> {
  /** What Storm knows it by while it is being processed: for `ack`, `fail` and anchors. */
  readonly id: string
  /** The component that emitted it. */
  readonly component: string
  /** The stream that the tuple came by; `default` unless its emitter says otherwise. */
  readonly stream: string
  /** The task that emitted it. */
  readonly task: number
  /** Its values, in the order of the stream's fields. */
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

  /** Its values by field name, made when it is first read. Throws StormError before Storm 0.10, which tells no names. */
  get fields(): Fields {
    this.#fields ??= this.#byName()
    return this.#fields
  }

  /** Whether Storm sent it because `topology.tick.tuple.freq.secs` passed. */
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
      const reason = `Storm has not told the field names of ${this.component}:${this.stream}: use values`
      throw new StormError('INVALID_TUPLE', reason, this.component)
    }
    // That the values have these types is the declaration of the emitting component.
    return Object.fromEntries(names.map((name, index) => [name, this.values[index]])) as Fields
  }
}
