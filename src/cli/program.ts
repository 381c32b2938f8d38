import { Command } from 'commander'
import { VERSION } from '../version.ts'
import { accessCommands } from './commands/access.ts'
import { brokerCommand } from './commands/broker.ts'
import { clusterCommands } from './commands/cluster.ts'
import { completionCommands } from './commands/completion.ts'
import { configCommands } from './commands/configs.ts'
import { consumeCommand } from './commands/consume.ts'
import { errorsCommand } from './commands/errors.ts'
import { groupCommands } from './commands/groups.ts'
import { lagCommand } from './commands/lag.ts'
import { offsetCommands } from './commands/offsets.ts'
import { pingCommand } from './commands/ping.ts'
import { placementCommands } from './commands/placement.ts'
import { produceCommand } from './commands/produce.ts'
import { profileCommands } from './commands/profile.ts'
import { rawCommand } from './commands/raw.ts'
import { topicCommands } from './commands/topics.ts'
import { inOneLine } from './failure.ts'

/** Every command, in the order of --help. */
const COMMANDS: readonly (readonly [string, readonly ((samsa: Command) => void)[]])[] = [
  ['Messages:', [produceCommand, consumeCommand]],
  ['Topics and groups:', [topicCommands, groupCommands, lagCommand, offsetCommands]],
  ['Cluster:', [clusterCommands, configCommands, placementCommands, pingCommand, rawCommand]],
  ['Access:', [accessCommands]],
  ['Other:', [brokerCommand, profileCommands, errorsCommand, completionCommands]],
]

/** The command line; `parseAsync` runs it. */
export function program(): Command {
  const samsa = new Command('samsa')
    .description(
      'Produce to and consume from Apache Kafka, administer clusters, and run embedded brokers.',
    )
    .version(VERSION)
    // What comes behind a command is the command's: `samsa broker --version 2.8`.
    .enablePositionalOptions()
    .showSuggestionAfterError()
    .addHelpText('after', '\nsamsa COMMAND --help shows the options of a command and examples.')
  for (const [heading, adders] of COMMANDS) {
    samsa.commandsGroup(heading)
    for (const add of adders) add(samsa)
  }
  for (const command of allCommands(samsa)) {
    command.exitOverride().configureOutput({
      outputError: (text, write) => write(`samsa: ${inOneLine(text)}\n`),
    })
  }
  return samsa
}

/** A command and all below it. */
export function allCommands(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(allCommands)]
}
