/**
 * Each option is declared once, in a table beside the interface that users see. The interface has the name, type and
 * meaning of each option. The table has the checks, the defaults, and when an option has no effect. The compiler
 * compares the two; `npm run docs:options` writes the tables of the documents from both, and a test compares the
 * defaults that docstrings name.
 */
import { InvalidArgumentError } from './errors.ts'
import { checkOptions, type Check, type Checks } from './options.ts'

export interface Option<Value = never, Options = never> {
  readonly check: Check<Value>
  /** Leaving it out is an error. */
  readonly required?: true
  /** The value of an option that is left out. */
  readonly default?: Value
  /** The default in words, if it is not a constant. */
  readonly defaultText?: string
  /**
   * Returns undefined if the option has an effect beside the others. Otherwise it returns the end of the sentence
   * "option 'x' has no effect …", such as `without a consumerGroup`, and a value other than the default is refused.
   */
  readonly noEffect?: (options: Options) => string | undefined
  /**
   * The reason why the option never has an effect. It is an option of pykafka, accepted so that its programs need no
   * change.
   */
  readonly ignored?: string
}

/** An entry for each option. */
export type OptionTable<Options> = {
  readonly [Name in keyof Options]-?: Option<Exclude<Options[Name], undefined>, Options>
}

type Defaulted<Table> = {
  [Name in keyof Table]: Table[Name] extends { readonly default: unknown } ? Name : never
}[keyof Table]

/** The options with their defaults. */
export type WithDefaults<Options, Table> = Required<
  Pick<Options, Defaulted<Table> & keyof Options>
> &
  Pick<Options, Exclude<keyof Options, Defaulted<Table>>>

/** Any table, for code that iterates over its entries. */
export type AnyOptionTable = Readonly<Record<string, Option<unknown>>>

/** By table, because the tables of calls are read once a call. */
const checksByTable = new WeakMap<AnyOptionTable, Checks<Record<string, unknown>>>()

/** The checks of a table, for calls that are too frequent for `readOptions`. */
export function checksOf<Options>(table: OptionTable<Options>): Checks<Options>
export function checksOf(table: AnyOptionTable): Checks<Record<string, unknown>>
export function checksOf(table: AnyOptionTable): Checks<Record<string, unknown>> {
  const known = checksByTable.get(table)
  if (known !== undefined) return known
  const checks = Object.fromEntries(Object.entries(table).map(([name, { check }]) => [name, check]))
  checksByTable.set(table, checks)
  return checks
}

/**
 * Checks options and fills in the defaults. Throws InvalidArgumentError for an option that is not in the table, for a
 * value that is not valid, and for an option that has no effect beside the others.
 */
export function readOptions<Options extends object, Table extends OptionTable<Options>>(
  what: string,
  options: Options,
  table: Table,
  replaced: Readonly<Record<string, string>> = {},
): WithDefaults<Options, Table> {
  checkTable(what, options, table, replaced)
  return withDefaults(options, table)
}

/** The first half of `readOptions`, for tables that are built at run time. */
export function checkTable(
  what: string,
  options: object,
  table: AnyOptionTable,
  replaced: Readonly<Record<string, string>> = {},
): void {
  checkValues(what, options, table, replaced)
  checkEffects(what, options, table)
}

/** The first half of `checkTable`: refuses unknown and missing options, and values that are not valid. */
export function checkValues(
  what: string,
  options: object,
  table: AnyOptionTable,
  replaced: Readonly<Record<string, string>> = {},
): void {
  // An object of any type has its properties by name.
  const given = options as Readonly<Record<string, unknown>>
  checkOptions<Record<string, unknown>>(what, given, checksOf(table), replaced)
  for (const [name, { required }] of Object.entries(table)) {
    if (required === true && given[name] === undefined) {
      throw new InvalidArgumentError(`${what}: option '${name}' is missing`)
    }
  }
}

/** The second half of `checkTable`: refuses options that have no effect beside the others. */
export function checkEffects(what: string, options: object, table: AnyOptionTable): void {
  for (const [name, value] of Object.entries(options) as [string, unknown][]) {
    const option = table[name]
    if (value === undefined || value === option?.default) continue
    // The table was declared for these options; AnyOptionTable does not say for which.
    const reason = option?.noEffect?.(options as never)
    if (reason === undefined) continue
    throw new InvalidArgumentError(`${what}: option '${name}' has no effect ${reason}`)
  }
}

/** The second half of `readOptions`, for options that are already checked. */
export function withDefaults<Options extends object, Table extends OptionTable<Options>>(
  options: Options,
  table: Table,
): WithDefaults<Options, Table> {
  // An object of any type has its properties by name.
  const given = options as Readonly<Record<string, unknown>>
  const settings: Record<string, unknown> = {}
  for (const [name, option] of Object.entries<Option<unknown>>(table)) {
    settings[name] = given[name] ?? option.default
  }
  // The options are checked, and the table has a default for each other option of WithDefaults.
  return settings as WithDefaults<Options, Table>
}

/** Warns about each given option that never has an effect. */
export function warnOfIgnored(
  what: string,
  options: object,
  table: AnyOptionTable,
  warn: (text: string) => void,
): void {
  for (const [name, value] of Object.entries(options)) {
    const reason = table[name]?.ignored
    if (value === undefined || reason === undefined) continue
    warn(`${what}: option '${name}' has no effect: ${reason}`)
  }
}
