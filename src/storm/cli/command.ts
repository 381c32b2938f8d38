import { InvalidArgumentError, type Command, type Option } from 'commander'
import { option, positive, wholeNumber } from '../../terminal/arguments.ts'
import { commonExitCodeOf } from '../../terminal/failure.ts'
import { failureAsJson } from './failure.ts'
import { Session, type CommonOptions } from './session.ts'

export interface Declaration<Options> {
  /** The name with the arguments, such as `quickstart <name>`. */
  readonly name: string
  readonly aliases?: readonly string[]
  readonly summary: string
  readonly has?: readonly ('environment' | 'topology' | 'output')[]
  readonly options?: readonly Option[]
  readonly examples: readonly string[]
  readonly run: (
    session: Session,
    options: Options & CommonOptions,
    args: readonly string[],
  ) => Promise<void>
}

const COMMON = {
  environment: () => [
    option('-e, --environment <name>', 'environment in the config file (default: the only one)'),
    option('--config <file>', 'config file (default: config.json)'),
    option('--timeout <ms>', 'time limit of each call of Nimbus, in ms (default: 30000)').argParser(
      positive,
    ),
  ],
  topology: () => [option('-n, --name <name>', 'name of the topology (default: the only one)')],
  output: () => [option('--json', 'print JSON')],
} as const

/** Adds a command to its parent. */
export function declare<Options>(parent: Command, declaration: Declaration<Options>): Command {
  const { name, aliases = [], summary, has = ['environment'], options = [] } = declaration
  const command = parent
    .command(name)
    .description(summary)
    .aliases([...aliases])
  for (const kind of has) for (const one of COMMON[kind]()) command.addOption(one)
  for (const one of options) command.addOption(one)
  const examples = declaration.examples.map((example) => `  $ ${example}`).join('\n')
  command.addHelpText('after', `\nExamples:\n${examples}`)
  command.action(async () => {
    const given = command.opts<Options & CommonOptions>()
    using session = new Session(given)
    const { interrupt } = session
    try {
      await declaration.run(session, given, command.args)
    } catch (error) {
      // Ctrl-C aborts the operations in progress: their errors add no information.
      if (interrupt.exitCode === undefined) {
        if (given.json === true && commonExitCodeOf(error) !== 0)
          session.printJson(failureAsJson(error))
        throw error
      }
    }
    if (interrupt.exitCode !== undefined) process.exitCode ??= interrupt.exitCode
  })
  return command
}

/** Collects `KEY=VALUE`; a value that is not JSON is text. */
export function setting(
  text: string,
  before: Readonly<Record<string, unknown>> | undefined,
): Readonly<Record<string, unknown>> {
  const match = /^([^=]+)=(.*)$/s.exec(text)
  if (match === null) throw new InvalidArgumentError('It must be KEY=VALUE.')
  const [, key, value] = match
  return { ...before, [key!]: parsed(value!) }
}

/** Collects `COMPONENT=NUMBER`. */
export function executors(
  text: string,
  before: Readonly<Record<string, number>> | undefined,
): Readonly<Record<string, number>> {
  const match = /^([^=]+)=(\d{1,9})$/.exec(text)
  if (match === null) throw new InvalidArgumentError('It must be COMPONENT=NUMBER.')
  return { ...before, [match[1]!]: Number(match[2]) }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** The options that set Storm's settings. */
export function stormSettings(): Option[] {
  return [
    option(
      '-o, --option <key=value>',
      'a Storm setting, with its value as JSON or text; can be repeated',
    ).argParser(setting),
    option('-a, --ackers <number>', 'number of ackers (topology.acker.executors)').argParser(
      wholeNumber,
    ),
    option('-w, --workers <number>', 'number of workers (topology.workers)').argParser(positive),
    option('-d, --debug', 'log all tuples (topology.debug)'),
  ]
}
