import { Command } from 'commander'
import { VERSION } from '../version.ts'
import { inOneLine } from './failure.ts'

/** Adds commands to the program; `all` makes the program with every command, for completion. */
export type Adder = (samsa: Command, all: () => Promise<Command>) => void

interface Module {
  /** The first words that it has, second names included. */
  readonly words: readonly string[]
  /** Loaded when one of them is used: a command starts without the code of the others. */
  readonly load: () => Promise<Adder>
}

const module = (words: string, load: () => Promise<Adder>): Module => ({
  words: words.split(' '),
  load,
})

/** Every command, in the order of --help. */
const COMMANDS: readonly (readonly [string, readonly Module[]])[] = [
  [
    'Messages:',
    [
      module('produce', async () => (await import('./commands/produce.ts')).produceCommand),
      module('consume', async () => (await import('./commands/consume.ts')).consumeCommand),
      module('mirror', async () => (await import('./commands/mirror.ts')).mirrorCommand),
    ],
  ],
  [
    'Topics and groups:',
    [
      module('topics topic', async () => (await import('./commands/topics.ts')).topicCommands),
      module('groups group', async () => (await import('./commands/groups.ts')).groupCommands),
      module('lag', async () => (await import('./commands/lag.ts')).lagCommand),
      module('offsets', async () => (await import('./commands/offsets.ts')).offsetCommands),
    ],
  ],
  [
    'Cluster:',
    [
      module('cluster', async () => (await import('./commands/cluster.ts')).clusterCommands),
      module('top', async () => (await import('./commands/top.ts')).topCommand),
      module('configs config', async () => (await import('./commands/configs.ts')).configCommands),
      module(
        'reassign elect logdirs',
        async () => (await import('./commands/placement.ts')).placementCommands,
      ),
      module(
        'transactions txns transaction txn',
        async () => (await import('./commands/transactions.ts')).transactionCommands,
      ),
      module('ping', async () => (await import('./commands/ping.ts')).pingCommand),
      module('raw', async () => (await import('./commands/raw.ts')).rawCommand),
    ],
  ],
  [
    'Access:',
    [
      module(
        'acls acl users user quotas quota',
        async () => (await import('./commands/access.ts')).accessCommands,
      ),
      module('tokens token', async () => (await import('./commands/tokens.ts')).tokenCommands),
    ],
  ],
  [
    'Measuring and testing:',
    [
      module('bench', async () => (await import('./commands/bench.ts')).benchCommands),
      module(
        'verifiable-producer verifiable-consumer',
        async () => (await import('./commands/verifiable.ts')).verifiableCommands,
      ),
    ],
  ],
  [
    'Other:',
    [
      module('broker', async () => (await import('./commands/broker.ts')).brokerCommand),
      module('profile', async () => (await import('./commands/profile.ts')).profileCommands),
      module('errors', async () => (await import('./commands/errors.ts')).errorsCommand),
      module(
        'completion __complete',
        async () => (await import('./commands/completion.ts')).completionCommands,
      ),
    ],
  ],
]

/** They need no command. */
const VERSION_FLAGS: ReadonlySet<string> = new Set(['-V', '--version'])

/** The command line; `parseAsync` runs it. With a first word, only what that word needs is loaded. */
export async function program(word?: string): Promise<Command> {
  const samsa = new Command('samsa')
    .description(
      'Produce to and consume from Apache Kafka, administer clusters, and run embedded brokers.',
    )
    .version(VERSION)
    // What comes behind a command is the command's: `samsa broker --version 2.8`.
    .enablePositionalOptions()
    .showSuggestionAfterError()
    .addHelpText('after', '\nsamsa COMMAND --help shows the options of a command and examples.')
  const isKnown = COMMANDS.some(([, modules]) => modules.some(({ words }) => has(words, word)))
  for (const [heading, modules] of COMMANDS) {
    const isNeeded = ({ words }: Module) => has(words, word)
    const needed = VERSION_FLAGS.has(word ?? '') ? [] : isKnown ? modules.filter(isNeeded) : modules
    const adders = await Promise.all(needed.map(({ load }) => load()))
    samsa.commandsGroup(heading)
    for (const add of adders) add(samsa, program)
  }
  for (const command of allCommands(samsa)) {
    command.exitOverride().configureOutput({
      outputError: (text, write) => write(`samsa: ${inOneLine(text)}\n`),
    })
  }
  return samsa
}

function has(words: readonly string[], word: string | undefined): boolean {
  return word !== undefined && words.includes(word)
}

/** A command and all below it. */
export function allCommands(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(allCommands)]
}
