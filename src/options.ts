import { LONGEST_TIMER_MS } from './async/timer.ts'
import { InvalidArgumentError, type ErrorContext } from './errors.ts'
import { quoted } from './observe/printable.ts'

declare const VALUE: unique symbol

/** What is wrong with a value, such as `must be a string`, or with one element of it. */
export type Problem = string | WrongElement

interface WrongElement {
  readonly problem: string
  readonly element: unknown
  /** Such as `at index 0`. */
  readonly place: string
}

/**
 * Checks one option: returns what is wrong with its value, or undefined. `Value` is the type of the values that it
 * accepts, as far as the check knows: a table of options only compiles if it is the type of the option.
 */
export type Check<Value = never> = ((value: unknown) => Problem | undefined) & {
  readonly [VALUE]?: Value
}

/** Throws InvalidArgumentError for a value that does not pass: `a broker id must be a string, not 1`. */
export function checkValue(
  what: string,
  value: unknown,
  check: Check<unknown>,
  context?: ErrorContext,
): void {
  const problem = problemWith(value, check)
  if (problem !== undefined) throw new InvalidArgumentError(`${what} ${problem}`, context)
}

/** Returns what is wrong with a value, and the value or element that is: `must be a string, not 1 (at index 0)`. */
export function problemWith(value: unknown, check: Check<unknown>): string | undefined {
  const problem = check(value)
  if (problem === undefined) return undefined
  const show = secretive.has(check) ? (hidden: unknown) => typeof hidden : shown
  return typeof problem === 'string'
    ? `${problem}, not ${show(value)}`
    : `${problem.problem}, not ${show(problem.element)} (${problem.place})`
}

function inElement(problem: Problem, element: unknown, place: string): WrongElement {
  return typeof problem === 'string'
    ? { problem, element, place }
    : { ...problem, place: `${problem.place}, ${place}` }
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
      if (wrong !== undefined) return inElement(wrong, one, `${place} '${name}'`)
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
      if (problem !== undefined) return inElement(problem, element, `at index ${index}`)
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

/** Accepts a value that any of the checks accepts. If it is an array or table of one of them, the element is at fault. */
export function either<const Some extends readonly Check<unknown>[]>(
  ...checks: Some
): Check<ValueOf<Some[number]>> {
  return (value) => {
    const problems = checks.map((check) => check(value))
    if (problems.includes(undefined)) return undefined
    const inOne = problems.find((one) => typeof one === 'object')
    return inOne ?? problems.filter((one) => typeof one === 'string').join(', or ')
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
    const problem = problemWith(value, checks[name as keyof Options])
    if (problem !== undefined) {
      throw new InvalidArgumentError(`${what}: option '${name}' ${problem}`)
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
  if (Array.isArray(value)) return value.length === 0 ? 'an empty array' : 'an array'
  if (typeof value === 'object' && value !== null) return 'an object'
  return typeof value === 'function' ? 'a function' : String(value)
}
