import { readFileSync } from 'node:fs'
import type { Admin, CallOptions, Item, KafkaClient } from '../index.ts'
import { Interrupt } from '../terminal/interrupt.ts'
import type { TerminalInput } from '../terminal/prompt.ts'
import { stylerFor, type Styler } from '../terminal/style.ts'
import { renderPlain, renderTable, type Column } from '../terminal/table.ts'
import { outputColumns } from '../terminal/columns.ts'
import { visibleText } from '../terminal/visible.ts'
import {
  clientOptionsOf,
  knownProperties,
  protocolOf,
  unknownProperties,
} from './client-properties.ts'
import { DeclinedError, inOneLine, ItemsReportedError, messageOf, UsageError } from './failure.ts'
import { Profiles } from './profiles.ts'
import { readProperties, type Properties } from './properties.ts'

/** The options of every command that connects to a cluster or prints a result. */
export interface CommonOptions {
  readonly brokers?: string
  readonly profile?: string
  readonly config?: string
  readonly property?: readonly string[]
  readonly tls?: boolean
  readonly ca?: string
  readonly mechanism?: string
  readonly user?: string
  readonly passwordFile?: string
  readonly timeout?: number
  readonly json?: boolean
  readonly plain?: boolean
  readonly color?: boolean
  readonly yes?: boolean
  readonly dryRun?: boolean
  readonly verbose?: boolean
}

/** If more items fail than this, only their number is printed. */
const MOST_FAILURES_NAMED = 20

/** The state of a running command: its connection, its terminal, and its handling of Ctrl-C. */
export class Session implements AsyncDisposable {
  readonly options: CommonOptions
  readonly interrupt = new Interrupt()
  readonly profiles = new Profiles(process.env)
  readonly #clients: KafkaClient[] = []
  #hasPrinted = false
  /** The result of a dry run, for --json. */
  #plan: readonly string[] | undefined

  constructor(options: CommonOptions) {
    this.options = options
  }

  get style(): Styler {
    return stylerFor(process.stdout.isTTY, process.env, this.options.color)
  }

  /** A signal for calls of the client, which Ctrl-C aborts. */
  get call(): CallOptions {
    return { signal: this.interrupt.signal }
  }

  get input(): TerminalInput {
    return process.stdin
  }

  /** Whether the output goes to a terminal. */
  get isInteractive(): boolean {
    return process.stdout.isTTY && this.options.json !== true
  }

  /** The client of the cluster that the options select; each call returns the same one. */
  async client(): Promise<KafkaClient> {
    return this.#clients[0] ?? (await this.connect(this.properties()))
  }

  async admin(): Promise<Admin> {
    return (await this.client()).admin
  }

  /** A client with other properties, which is closed with the session. */
  async connect(properties: Properties): Promise<KafkaClient> {
    const unknown = unknownProperties(properties)
    if (unknown.length > 0) {
      this.say(`unknown settings are ignored: ${unknown.join(', ')}`)
    }
    const options = await clientOptionsOf(properties, (username) => this.#password(username))
    // Imported here, so that --help and completion start immediately.
    const { KafkaClient } = await import('../index.ts')
    const client = new KafkaClient({
      ...options,
      ...(this.options.verbose === true ? { logger: errorConsole } : {}),
    })
    this.#clients.push(client)
    return client
  }

  /** The security settings of connections, from all properties. */
  securityProtocol(): { readonly isTls: boolean; readonly isSasl: boolean } {
    const protocol = protocolOf(this.properties())
    return { isTls: protocol.endsWith('SSL'), isSasl: protocol.startsWith('SASL') }
  }

  /** All settings, by precedence: options, `-X`, variables, the profile, the configuration file. */
  properties(): Properties {
    const {
      brokers,
      profile,
      config,
      property = [],
      tls,
      ca,
      mechanism,
      user,
      timeout,
    } = this.options
    const merged = new Map<string, string>()
    const add = (properties: Iterable<readonly [string, string]>): void => {
      for (const [key, value] of properties) merged.set(canonical(key), value)
    }
    const file = config ?? process.env['SAMSA_CONFIG']
    if (file !== undefined && file !== '') add(readProperties(file))
    // A file on the command line replaces the current profile.
    const name = profile ?? process.env['SAMSA_PROFILE']
    const current = name ?? (config === undefined ? this.profiles.current() : undefined)
    if (current !== undefined && current !== '') add(this.profiles.read(current))
    add(variables())
    add(property.map(setting))
    if (brokers !== undefined) merged.set('bootstrap.servers', brokers)
    if (timeout !== undefined) merged.set('default.api.timeout.ms', String(timeout))
    if (user !== undefined) merged.set('sasl.username', user)
    if (mechanism !== undefined) merged.set('sasl.mechanism', mechanism)
    if (ca !== undefined) merged.set('ssl.ca.location', ca)
    if (tls === true || ca !== undefined) {
      const isSasl = /SASL/i.test(merged.get('security.protocol') ?? '') || user !== undefined
      merged.set('security.protocol', isSasl ? 'SASL_SSL' : 'SSL')
    }
    return merged
  }

  /**
   * Prints rows as a table; in a form for programs with `--plain`; or `value` as JSON with
   * `--json`. Where a table would be empty, prints `none` on standard error, such as `no topics`.
   */
  print<Row>(
    value: unknown,
    columns: readonly Column<Row>[],
    rows: readonly Row[],
    none?: string,
  ): void {
    if (this.options.json === true) {
      this.printJson(value)
      return
    }
    if (this.options.plain === true) {
      this.write(renderPlain(columns, rows))
      return
    }
    if (rows.length > 0) this.write(renderTable(columns, rows, this.columns))
    else if (none !== undefined) this.say(none)
  }

  printJson(value: unknown): void {
    this.write(`${JSON.stringify(value, withBigints, 2)}\n`)
  }

  /**
   * With --json, standard output always has a value: the plan of a dry run, or an empty list if
   * there was nothing to do.
   */
  finishJson(hasOutput: boolean): void {
    if (!hasOutput || this.options.json !== true || this.#hasPrinted) return
    if (this.interrupt.exitCode !== undefined) return
    this.printJson(this.#plan === undefined ? [] : { plan: this.#plan })
  }

  /** Writes a result. Standard output contains nothing else. */
  write(text: string): void {
    this.#hasPrinted = true
    process.stdout.write(text)
  }

  get hasPrinted(): boolean {
    return this.#hasPrinted
  }

  /** Prints a note for the user on standard error. */
  say(text: string): void {
    process.stderr.write(`samsa: ${inOneLine(text)}\n`)
  }

  get columns(): number {
    return outputColumns()
  }

  /**
   * Throws if items have failed, because a command fails if one of its items fails: the error of a
   * single one, or an error after a line for each on standard error.
   */
  checkItems(items: readonly Item[]): void {
    const failed = items.flatMap(({ error }) => (error === undefined ? [] : [error]))
    const [first] = failed
    if (first === undefined) return
    // The command ends with this error and its line.
    if (failed.length === 1) throw first
    for (const error of failed.slice(0, MOST_FAILURES_NAMED)) this.say(error.message)
    const more = failed.length - MOST_FAILURES_NAMED
    if (more > 0) this.say(`… and ${more} more failed`)
    throw new ItemsReportedError(`${failed.length} failed`, failed)
  }

  /**
   * Ends a change that has no table: prints the results with `--json`, and throws like
   * `checkItems`.
   */
  finish(results: readonly Item[]): void {
    if (this.options.json === true) this.printJson(results)
    this.checkItems(results)
  }

  /** Prints which brokers did not respond, and throws, because the output is incomplete. */
  checkComplete(
    incomplete: readonly { readonly broker: number; readonly error: { message: string } }[],
  ): void {
    if (incomplete.length === 0) return
    for (const { broker, error } of incomplete) {
      this.say(`the result is incomplete: broker ${broker} did not respond: ${error.message}`)
    }
    throw new ItemsReportedError('incomplete')
  }

  /**
   * Shows the planned changes and asks. Resolves with false for a dry run. Throws DeclinedError if
   * the user answers no, and UsageError without a terminal: scripts use `--yes`.
   */
  async confirm(plan: string, question: string): Promise<boolean> {
    const { yes = false, dryRun = false, json = false } = this.options
    if (dryRun || !yes) {
      if (!json || !dryRun) process.stderr.write(`${visibleText(plan)}\n`)
    }
    if (dryRun) {
      this.#plan = plan.split('\n')
      this.say('dry run: nothing was changed')
      return false
    }
    if (yes) return true
    if (!process.stdin.isTTY || !process.stderr.isTTY) {
      throw new UsageError(
        'nothing was changed: use --yes to continue, or --dry-run to see the plan',
      )
    }
    const { askLine } = await import('../terminal/prompt.ts')
    const answer = await askLine(`${question} [y/N] `, process.stdin, process.stderr)
    if (/^y(?:es)?$/i.test(answer ?? '')) return true
    throw new DeclinedError('nothing was changed')
  }

  /**
   * A password for a user: from the file that the options name, from standard input, or from a
   * prompt.
   */
  async readPassword(question: string, file: string | undefined): Promise<string | undefined> {
    if (file === '-') {
      const { text } = await import('node:stream/consumers')
      return withoutLineEnd(await text(process.stdin))
    }
    if (file !== undefined) {
      try {
        return withoutLineEnd(readFileSync(file, 'utf8'))
      } catch (error) {
        throw new UsageError(`the password file ${file} cannot be read: ${messageOf(error)}`)
      }
    }
    if (!process.stdin.isTTY || !process.stderr.isTTY) return undefined
    const { askSecret } = await import('../terminal/prompt.ts')
    return askSecret(question, process.stdin, process.stderr)
  }

  #password(username: string): Promise<string | undefined> {
    return this.readPassword(`Password for ${username}: `, this.options.passwordFile)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.interrupt[Symbol.dispose]()
    await Promise.all(this.#clients.map((client) => client.close()))
  }
}

const errorConsole = {
  debug: (...args: unknown[]) => console.error(...args),
  info: (...args: unknown[]) => console.error(...args),
  warn: (...args: unknown[]) => console.error(...args),
  error: (...args: unknown[]) => console.error(...args),
}

/** `SAMSA_SASL_USERNAME` sets `sasl.username`. */
function variables(): [string, string][] {
  const brokers = process.env['SAMSA_BROKERS']
  const known = new Set(knownProperties())
  const others = Object.entries(process.env).flatMap(([name, value]): [string, string][] => {
    if (!name.startsWith('SAMSA_') || value === undefined) return []
    const key = name.slice('SAMSA_'.length).toLowerCase().replaceAll('_', '.')
    // Other variables with this prefix belong to other programs.
    return known.has(key) ? [[key, value]] : []
  })
  return brokers === undefined || brokers === ''
    ? others
    : [...others, ['bootstrap.servers', brokers]]
}

/**
 * The alternative names of settings, so that a later source replaces an earlier one in either
 * spelling.
 */
function canonical(key: string): string {
  if (key === 'metadata.broker.list') return 'bootstrap.servers'
  return key === 'sasl.mechanisms' ? 'sasl.mechanism' : key
}

/** The properties that -X sets. kcat also lists and prints settings with it. */
function setting(text: string): [string, string] {
  if (text === 'list' || text === 'dump') {
    throw new UsageError(
      `-X ${text} is not available: give -X key=value; docs/cli.md names settings`,
    )
  }
  return keyAndValue(text)
}

export function keyAndValue(text: string): [string, string] {
  const at = text.indexOf('=')
  if (at <= 0) throw new UsageError(`'${text}' must be key=value`)
  return [text.slice(0, at), text.slice(at + 1)]
}

function withBigints(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value
}

function withoutLineEnd(text: string): string {
  return text.replace(/\r?\n$/, '')
}
