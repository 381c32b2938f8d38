import { Command, InvalidArgumentError, Option } from 'commander'
import { wholeNumber } from '../terminal/arguments.ts'
import { codeOf, exitCodeOf } from './failure.ts'
import { DEFAULT_HOSTS } from './client-properties.ts'
import { MECHANISM_LIST } from './sasl-properties.ts'
import { Session, type CommonOptions } from './session.ts'

export { option, positive, wholeNumber } from '../terminal/arguments.ts'

const CONNECTION = 'Connection:'
const OUTPUT = 'Output:'
const CHANGES = 'Changes:'

/** The declaration of a command. Its help, its reference and its parser follow from it. */
export interface Declaration<Options> {
  /** The name with the arguments, such as `describe <topic...>`. */
  readonly name: string
  readonly aliases?: readonly string[]
  /** One line, in lower case, for a list of commands. */
  readonly summary: string
  /** The description of each argument, by its name. */
  readonly arguments?: Readonly<Record<string, string>>
  readonly options?: readonly Option[]
  /** The common options of the command. Default: `connection` and `output`. */
  readonly has?: readonly ('connection' | 'output' | 'changes')[]
  /** Common options whose name has another meaning in this command, such as --verbose. */
  readonly replaces?: readonly (keyof CommonOptions)[]
  /** The text below the options. */
  readonly notes?: string
  /** Lines that a user can copy. */
  readonly examples: readonly string[]
  readonly run: (
    session: Session,
    args: readonly string[],
    options: Options & CommonOptions,
  ) => Promise<void>
}

/** Adds a command to its parent. */
export function declare<Options>(parent: Command, declaration: Declaration<Options>): Command {
  const { name, aliases = [], summary, run, notes, examples } = declaration
  const [word, ...args] = name.split(' ')
  const command = parent
    .command(word!)
    .description(summary)
    .aliases([...aliases])
  for (const arg of args) {
    const bare = arg.replaceAll(/[<>[\].]/g, '')
    command.argument(arg, declaration.arguments?.[bare] ?? '')
  }
  const { options: own = [], replaces = [], has = ['connection', 'output'] } = declaration
  for (const option of own) command.addOption(option)
  const common = has
    .flatMap((kind) => COMMON[kind]())
    .filter((one) => !replaces.some((replaced) => replaced === one.attributeName()))
  for (const option of common) command.addOption(option)
  const lines = examples.map((example) => `  $ ${example}`).join('\n')
  command.addHelpText('after', `${notes === undefined ? '' : `\n${notes}\n`}\nExamples:\n${lines}`)
  command.action(async () => {
    const options = command.opts<Options & CommonOptions>()
    await using session = new Session(commonOptions(options, replaces))
    try {
      await run(session, command.args, options)
      session.finishJson(has.includes('output'))
    } catch (error) {
      const { exitCode } = session.interrupt
      // Ctrl-C aborts the calls in progress: their errors add no information.
      if (exitCode !== undefined) process.exitCode = exitCode
      else {
        // If --json is a format of messages, an error would look like one of them.
        const printsJson = options.json === true && has.includes('output')
        if (printsJson && !session.hasPrinted && exitCodeOf(error) !== 0) {
          session.printJson({ error: errorForJson(error) })
        }
        const { withSuggestion } = await import('./suggestions.ts')
        throw await withSuggestion(withHosts(error, session), session, command.args)
      }
    }
    if (session.interrupt.exitCode !== undefined) process.exitCode = session.interrupt.exitCode
  })
  return command
}

/** Errors of samsa are plain data; other errors would lose their message in JSON. */
function errorForJson(error: unknown): unknown {
  if (!(error instanceof Error)) return { message: String(error) }
  if ('toJSON' in error) return error
  const code = 'code' in error ? { code: error.code } : {}
  return { name: error.name, ...code, message: error.message }
}

/**
 * The error of a timeout names the brokers that did not respond: the client has tried all of them.
 */
function withHosts(error: unknown, session: Session): unknown {
  if (!(error instanceof Error) || codeOf(error) !== 'REQUEST_TIMED_OUT') return error
  if ('broker' in error && error.broker !== undefined) return error
  const hosts = session.properties().get('bootstrap.servers') ?? DEFAULT_HOSTS
  const hint = `samsa ping --brokers ${hosts} reports the step that fails`
  return new Error(`${error.message} (${hint})`, { cause: error })
}

/** The values of the common options, without those that have another meaning in this command. */
function commonOptions(
  options: CommonOptions & OtherToolsOptions,
  replaces: readonly (keyof CommonOptions)[],
): CommonOptions {
  const found: CommonOptions & OtherToolsOptions = Object.fromEntries(
    Object.entries(options).filter(([name]) => !replaces.some((replaced) => replaced === name)),
  )
  const brokers = found.brokers ?? found.bootstrapServer ?? found.brokerList
  const config =
    found.config ?? found.commandConfig ?? found['producer.config'] ?? found['consumer.config']
  const timeout =
    found.timeout ??
    (found.metadataTimeout === undefined ? undefined : found.metadataTimeout * 1000)
  return {
    ...found,
    ...(timeout === undefined ? {} : { timeout }),
    ...(found.debug === undefined ? {} : { verbose: true }),
    ...(brokers === undefined ? {} : { brokers }),
    ...(config === undefined ? {} : { config }),
  }
}

/** Options of Kafka's own tools and of kcat that have another name here. */
interface OtherToolsOptions {
  readonly bootstrapServer?: string
  readonly brokerList?: string
  readonly commandConfig?: string
  readonly 'producer.config'?: string
  readonly 'consumer.config'?: string
  /** In seconds. */
  readonly metadataTimeout?: number
  readonly debug?: string
}

/** The options that several commands have, by kind. */
export const COMMON = {
  connection: () => [
    grouped(
      CONNECTION,
      '-b, --brokers <list>',
      `bootstrap brokers, as host:port,… (default: ${DEFAULT_HOSTS})`,
    ),
    grouped(CONNECTION, '-P, --profile <name>', 'name of a profile; see samsa profile --help'),
    grouped(
      CONNECTION,
      '-F, --config <file>',
      'file of client settings, in the spelling of Java or librdkafka',
    ),
    grouped(
      CONNECTION,
      '-X, --property <key=value>',
      'one client setting; can be repeated',
    ).argParser(append),
    grouped(CONNECTION, '--tls', "use TLS with the system's certificate authorities"),
    grouped(CONNECTION, '--ca <file>', 'use TLS with these certificate authorities (PEM)'),
    grouped(CONNECTION, '--mechanism <name>', `SASL mechanism: ${MECHANISM_LIST}`),
    grouped(
      CONNECTION,
      '--user <name>',
      'user name for SASL; the command prompts for the password',
    ),
    grouped(CONNECTION, '--password-file <file>', 'file with the password; -: standard input'),
    grouped(
      CONNECTION,
      '--timeout <duration>',
      'time limit of a call with all its retries, such as 10s',
    )
      .argParser(duration)
      .default(undefined, '30s'),
    grouped(CONNECTION, '-v, --verbose', 'log to standard error'),
    grouped(CONNECTION, '--bootstrap-server <list>', 'as --brokers').hideHelp(),
    grouped(CONNECTION, '--command-config <file>', 'as --config').hideHelp(),
  ],
  output: () => [
    grouped(OUTPUT, '--json', 'print JSON'),
    grouped(OUTPUT, '--plain', 'print tab-separated lines without titles'),
    grouped(OUTPUT, '--no-color', 'print without colors, as with NO_COLOR'),
  ],
  changes: () => [
    grouped(CHANGES, '-y, --yes', 'do not ask for confirmation'),
    grouped(CHANGES, '--dry-run', 'show the changes without making them'),
  ],
} as const

function grouped(group: string, flags: string, description: string): Option {
  return new Option(flags, description).helpGroup(group)
}

/** Collects the values of an option that can be repeated. */
export function append(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), text]
}

/** A comma-separated list; the option can also be repeated. */
export function list(text: string, before: readonly string[] | undefined): readonly string[] {
  const names = text.split(',').filter((name) => name !== '')
  if (names.length === 0) throw new InvalidArgumentError('It must not be empty.')
  return [...(before ?? []), ...names]
}

export function wholeNumbers(
  text: string,
  before: readonly number[] | undefined,
): readonly number[] {
  return [...(before ?? []), ...text.split(',').map(wholeNumber)]
}

export function port(text: string): number {
  const value = wholeNumber(text)
  if (value > 65_535) throw new InvalidArgumentError('It must be from 0 to 65535.')
  return value
}

export function filled(text: string): string {
  if (text === '') throw new InvalidArgumentError('It must not be empty.')
  return text
}

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

/** `500ms`, `10s`, `5m`, `2h`, `1d`; a number without a unit is in milliseconds. */
export function duration(text: string): number {
  const match = /^(\d{1,10}(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(text)
  const value = match === null ? NaN : Number(match[1]) * UNIT_MS[match[2] ?? 'ms']!
  if (!(value >= 1)) {
    throw new InvalidArgumentError('It must be a duration such as 500ms, 10s, 5m, 2h or 1d.')
  }
  return Math.round(value)
}

/** `1000`, `64k`, `10m`, `2g`, in bytes. */
export function bytes(text: string): number {
  const match = /^(\d{1,15})(k|m|g)?b?$/i.exec(text)
  if (match === null) throw new InvalidArgumentError('It must be a size such as 1000, 64k or 10m.')
  const power = ['', 'k', 'm', 'g'].indexOf((match[2] ?? '').toLowerCase())
  return Number(match[1]) * 1024 ** power
}
