import { LONGEST_TIMER_MS } from './async/timer.ts'
import { InvalidArgumentError } from './errors.ts'
import { quoted } from './observe/printable.ts'

declare const VALUE: unique symbol

/**
 * Checks one option: returns what is wrong with its value, or undefined. `Value` is the type of the values that it
 * accepts, as far as the check knows: a table of options only compiles if it is the type of the option.
 */
export type Check<Value = never> = ((value: unknown) => string | undefined) & {
  readonly [VALUE]?: Value
}

export const aString: Check<string> = (value) =>
  typeof value === 'string' && value !== '' ? undefined : 'must be a non-empty string'

/** A string that may be empty. */
export const aText: Check<string> = (value) =>
  typeof value === 'string' ? undefined : 'must be a string'

export const aBoolean: Check<boolean> = (value) =>
  typeof value === 'boolean' ? undefined : 'must be true or false'

export const anObject: Check = (value) =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? undefined
    : 'must be an object'

/**
 * An object whose values all pass a check, by any names. `place` comes before the name of a value that does not pass.
 */
export function aTableOf<Value>(
  check: Check<Value>,
  place = 'at',
): Check<Readonly<Record<string, Value>>> {
  return (value) => {
    const problem = anObject(value)
    if (problem !== undefined) return problem
    for (const [name, one] of Object.entries(value ?? {})) {
      const wrong = check(one)
      if (wrong !== undefined) return `${wrong} (${place} '${name}')`
    }
    return undefined
  }
}

export const aTextTable: Check<Readonly<Record<string, string>>> = (value) =>
  aTableOf(aText)(value) === undefined ? undefined : 'must be an object of strings'

export const aFunction: Check = (value) =>
  typeof value === 'function' ? undefined : 'must be a function'

export const aRegExp: Check<RegExp> = (value) =>
  value instanceof RegExp ? undefined : 'must be a RegExp'

export function anInteger(min: number, max = Number.MAX_SAFE_INTEGER): Check<number> {
  return (value) => {
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max) {
      return undefined
    }
    return max === Number.MAX_SAFE_INTEGER
      ? `must be a whole number of at least ${min}`
      : `must be a whole number from ${min} to ${max}`
  }
}

/**
 * A duration in whole milliseconds, up to the limit of timers and Kafka's int32 fields (24.8 days): with a longer one
 * Node would wait 1 ms.
 */
export function aDurationMs(min: number): Check<number> {
  return anInteger(min, LONGEST_TIMER_MS)
}

export function oneOf<const Value>(...values: readonly Value[]): Check<Value> {
  const valid: readonly unknown[] = values
  return (value) =>
    valid.includes(value) ? undefined : `must be one of ${values.map(String).join(', ')}`
}

/** The names in a table. */
export function keysOf<Table extends object>(table: Table): (keyof Table & string)[] {
  // TypeScript types keys as strings, because an object may have more properties than its type; a table has no more.
  return Object.keys(table) as (keyof Table & string)[]
}

/** One of the names in a table. */
export function aKeyOf<Table extends object>(table: Table): Check<keyof Table & string> {
  return oneOf(...keysOf(table))
}

export function anArrayOf<Value>(check: Check<Value>): Check<readonly Value[]> {
  return (value) => {
    if (!Array.isArray(value)) return 'must be an array'
    for (const [index, element] of value.entries()) {
      const problem = check(element)
      if (problem !== undefined) return `${problem} (at index ${index})`
    }
    return undefined
  }
}

/** Checks of options whose values may contain a password or a key: their errors do not show the value. */
const secretive = new WeakSet<Check<unknown>>()

/** Returns the same check, without the value in its error. */
export function concealed<Value>(check: Check<Value>): Check<Value> {
  const concealing: Check<Value> = (value) => check(value)
  secretive.add(concealing)
  return concealing
}

type ValueOf<One> = One extends { readonly [VALUE]?: infer Value }
  ? Exclude<Value, undefined>
  : never

/** Accepts a value that any of the checks accepts. */
export function either<const Some extends readonly Check<unknown>[]>(
  ...checks: Some
): Check<ValueOf<Some[number]>> {
  return (value) => {
    const problems = checks.map((check) => check(value))
    return problems.includes(undefined) ? undefined : problems.join(', or ')
  }
}

/** A check for each option, of the option's type. */
export type Checks<Options> = {
  readonly [Name in keyof Options]-?: Check<Exclude<Options[Name], undefined>>
}

/**
 * Refuses unknown options by name, and values that are not valid. Undefined options count as left out. `replaced`
 * names the replacements of pykafka's options. Throws InvalidArgumentError.
 */
export function checkOptions<Options extends object>(
  what: string,
  options: Options,
  checks: Checks<Options>,
  replaced: Readonly<Record<string, string>> = {},
): void {
  if (anObject(options) !== undefined) {
    throw new InvalidArgumentError(`the options of ${what} must be an object`)
  }
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(checks, name)) {
      const replacement = replacementOf(name, checks, replaced)
      if (replacement !== undefined) {
        throw new InvalidArgumentError(`${what} has no option '${name}': ${replacement}`)
      }
      const known = Object.keys(checks).sort().join(', ')
      throw new InvalidArgumentError(`${what} has no option '${name}'; it has ${known}`)
    }
    if (value === undefined) continue
    // `hasOwn` has found the name among the checks.
    const check: Check<unknown> = checks[name as keyof Options]
    const problem = check(value)
    if (problem !== undefined) {
      const given = secretive.has(check) ? typeof value : shown(value)
      throw new InvalidArgumentError(`${what}: option '${name}' ${problem}, not ${given}`)
    }
  }
}

/**
 * Returns the replacement of pykafka's name, in Python's spelling or not: `broker_version` as well as
 * `brokerVersion`.
 */
function replacementOf(
  name: string,
  checks: object,
  replaced: Readonly<Record<string, string>>,
): string | undefined {
  const camelCase = name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
  if (Object.hasOwn(replaced, camelCase)) return replaced[camelCase]
  return Object.hasOwn(checks, camelCase) ? `use ${camelCase}` : undefined
}

/** Returns how an error shows a value: never the content of an object, which may contain secrets. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return quoted(value)
  if (typeof value === 'object' && value !== null)
    return Array.isArray(value) ? 'an array' : 'an object'
  return typeof value === 'function' ? 'a function' : String(value)
}
