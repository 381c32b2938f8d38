import { StormError } from '../errors.ts'

/** The stream that tuples are emitted to by default. */
export const DEFAULT_STREAM = 'default'

/** A stream that a component emits to. `Fields` has the types of its values by field name. */
export interface StreamDeclaration<Fields extends object = object> {
  /** The names of the fields, in the order of the values. */
  readonly fields: readonly string[]
  /** Whether the emitter chooses the task that receives a tuple. */
  readonly direct: boolean
  /** For the compiler only. */
  readonly types?: Fields
}

/** The outputs of a component: the fields of its default stream, or its streams by name. */
export type Outputs =
  readonly string[] | Readonly<Record<string, readonly string[] | StreamDeclaration>>

/**
 * Declares a stream with typed fields, in the order of the values: `stream<{ word: string; count:
 * number }>('word', 'count')`.
 */
export function stream<Fields extends object>(
  ...fields: readonly (keyof Fields & string)[]
): StreamDeclaration<Fields> {
  return { fields, direct: false }
}

/**
 * Declares a stream whose emitter chooses the task: emit with `directTask`, group with `direct()`.
 */
export function directStream<Fields extends object>(
  ...fields: readonly (keyof Fields & string)[]
): StreamDeclaration<Fields> {
  return { fields, direct: true }
}

type AnyFields = Readonly<Record<string, unknown>>

type FieldsOf<Declaration> =
  Declaration extends StreamDeclaration<infer Fields>
    ? Fields
    : Declaration extends readonly string[]
      ? { readonly [Field in Declaration[number]]: unknown }
      : never

/**
 * The types of values by stream and field. If the compiler does not know the outputs, any value is
 * allowed.
 */
export type StreamsOf<Out> = Outputs extends Out
  ? Readonly<Record<string, AnyFields>>
  : Out extends readonly string[]
    ? { readonly default: FieldsOf<Out> }
    : { readonly [Stream in keyof Out & string]: FieldsOf<Out[Stream]> }

/** A stream without the types. */
export interface StreamModel {
  /** The names of the fields, in the order of the values. */
  readonly fields: readonly string[]
  /** Whether the emitter chooses the task that gets each tuple. */
  readonly direct: boolean
}

/** The streams of a component by name. Throws StormError for an invalid declaration. */
export function streamsOf(
  outputs: unknown,
  component: string,
): Readonly<Record<string, StreamModel>> {
  if (outputs === undefined) return {}
  if (Array.isArray(outputs)) {
    return outputs.length === 0 ? {} : { [DEFAULT_STREAM]: plainStream(outputs, component) }
  }
  if (typeof outputs !== 'object' || outputs === null) {
    throw invalid(component, 'outputs must be an array of field names or an object of streams')
  }
  return Object.fromEntries(
    Object.entries(outputs).map(([name, declared]: [string, unknown]) => {
      const where = `${component}:${name}`
      if (Array.isArray(declared)) return [name, plainStream(declared, where)]
      if (typeof declared !== 'object' || declared === null || !('fields' in declared)) {
        throw invalid(where, 'a stream must be an array of field names, or a result of stream()')
      }
      const direct = 'direct' in declared && declared.direct === true
      return [name, { ...plainStream(declared.fields, where), direct }]
    }),
  )
}

function plainStream(fields: unknown, where: string): StreamModel {
  if (
    !Array.isArray(fields) ||
    !fields.every((field) => typeof field === 'string' && field !== '')
  ) {
    throw invalid(where, 'each field of a stream must be a non-empty string')
  }
  const names: readonly string[] = fields
  const twice = names.find((field, index) => names.indexOf(field) !== index)
  if (twice !== undefined) throw invalid(where, `a stream has the field '${twice}' twice`)
  return { fields: names, direct: false }
}

function invalid(component: string, problem: string): StormError {
  return new StormError('INVALID_TOPOLOGY', `${component}: ${problem}`, component)
}
