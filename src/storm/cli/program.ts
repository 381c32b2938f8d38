import { Command } from 'commander'
import { VERSION } from '../../version.ts'
import { jarCommand } from './commands/jar.ts'
import { logCommands } from './commands/logs.ts'
import { manageCommands } from './commands/manage.ts'
import { runCommand } from './commands/run.ts'
import { statsCommands } from './commands/stats.ts'
import { stormCommands } from './commands/storm.ts'
import { submitCommand } from './commands/submit.ts'
import { quickstartCommand } from './commands/quickstart.ts'
import { virtualenvCommand } from './commands/virtualenv.ts'
import { visualizeCommand } from './commands/visualize.ts'

const COMMANDS: readonly (readonly [string, readonly ((sparse: Command) => void)[]])[] = [
  ['Project:', [quickstartCommand, runCommand, visualizeCommand, jarCommand, stormCommands]],
  ['Cluster:', [submitCommand, manageCommands, statsCommands, logCommands, virtualenvCommand]],
]

/** Creates the command line; `parseAsync` runs it. */
export function program(): Command {
  const sparse = new Command('sparse')
    .description('Run Storm topologies in TypeScript, and manage them on a cluster.')
    .version(VERSION)
    .showSuggestionAfterError()
    .addHelpText('after', '\nsparse COMMAND --help shows the options of a command and examples.')
  for (const [heading, adders] of COMMANDS) {
    sparse.commandsGroup(heading)
    for (const add of adders) add(sparse)
  }
  for (const command of allCommands(sparse)) {
    command.exitOverride().configureOutput({
      outputError: (text, write) => write(`sparse: ${text.replace(/^error: /, '')}`),
    })
  }
  return sparse
}

/** A command and all its subcommands. */
export function allCommands(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(allCommands)]
}
