import { Command } from 'commander'
import { VERSION } from '../version.ts'
import { CONTENTS, type Entry, type Part } from './contents.ts'
import { inOneLine } from './failure.ts'
import { refuseKcatModes } from './kcat-modes.ts'

/**
 * Creates the command line for `args`; `parseAsync` runs it. It loads only the part that the first
 * word names. Without such a word, as for --help or a typing error, the program has the names of
 * all commands and runs none.
 */
export async function programFor(args: readonly string[]): Promise<Command> {
  refuseKcatModes(args)
  const [first, second] = args
  const word = first === 'help' || first === '--' ? second : first
  const samsa = emptyProgram()
  for (const [heading, parts] of CONTENTS) {
    const isNeeded = ({ entries }: Part) => entries.some((entry) => isCalled(entry, word))
    samsa.commandsGroup(heading)
    for (const part of parts) {
      if (isNeeded(part)) (await part.load())(samsa, fullProgram)
      else part.entries.forEach((entry) => addName(samsa, entry))
    }
  }
  return finished(samsa)
}

/** The program with every command. */
export async function fullProgram(): Promise<Command> {
  const samsa = emptyProgram()
  for (const [heading, parts] of CONTENTS) {
    samsa.commandsGroup(heading)
    const adders = await Promise.all(parts.map(({ load }) => load()))
    for (const add of adders) add(samsa, fullProgram)
  }
  return finished(samsa)
}

/** A command and all its subcommands. */
export function allCommands(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(allCommands)]
}

function emptyProgram(): Command {
  return (
    new Command('samsa')
      .description(
        'Produce to and consume from Apache Kafka, administer clusters, and run embedded brokers.',
      )
      .version(VERSION)
      // Options after a command belong to the command: `samsa broker --version 2.8`.
      .enablePositionalOptions()
      .showSuggestionAfterError()
      .addHelpText('after', '\nsamsa COMMAND --help shows the options of a command and examples.')
  )
}

function finished(samsa: Command): Command {
  for (const command of allCommands(samsa)) {
    command.exitOverride().configureOutput({
      outputError: (text, write) => write(`samsa: ${inOneLine(text)}\n`),
    })
  }
  return samsa
}

/**
 * Adds the parts of a command that --help and suggestions need. Its arguments and options are plain
 * text here.
 */
function addName(samsa: Command, { usage, alias, summary, isHidden = false }: Entry): void {
  const [name, ...args] = usage.split(' ')
  const command = samsa.command(name!, { hidden: isHidden }).description(summary)
  if (alias !== undefined) command.alias(alias)
  for (const arg of args.filter((one) => one !== '[options]')) command.argument(arg)
  // Commander shows [options] for a command that has an option other than `help`.
  if (args.includes('[options]')) command.option('--any')
}

function isCalled({ usage, alias }: Entry, word: string | undefined): boolean {
  return word !== undefined && (usage.split(' ', 1)[0] === word || alias === word)
}
