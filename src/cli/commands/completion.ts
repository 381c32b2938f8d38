import type { Command } from 'commander'
import { append, declare, option } from '../command.ts'
import { UsageError } from '../failure.ts'
import type { Session } from '../session.ts'

/** How long a completion waits for the cluster: a person is typing. */
const CLUSTER_TIMEOUT_MS = 300

const SCRIPTS: Readonly<Record<string, string>> = {
  bash: `_samsa() {
  local IFS=$'\\n'
  COMPREPLY=($(samsa __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _samsa samsa
`,
  zsh: `#compdef samsa
_samsa() {
  local -a found
  found=("\${(@f)$(samsa __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  compadd -a found
}
compdef _samsa samsa
`,
  fish: `complete -c samsa -f -a '(samsa __complete -- (commandline -opc)[2..] (commandline -ct) 2>/dev/null)'
`,
}

/** Adds `samsa completion`, and the command that the scripts call. */
export function completionCommands(samsa: Command): void {
  declare(samsa, {
    name: 'completion <shell>',
    summary: 'print what completes commands in bash, zsh or fish',
    arguments: { shell: 'bash, zsh or fish' },
    has: [],
    examples: [
      'source <(samsa completion bash)',
      'samsa completion zsh > ~/.zsh/completions/_samsa',
      'samsa completion fish > ~/.config/fish/completions/samsa.fish',
    ],
    run: (session, [shell]) => {
      const script = Object.hasOwn(SCRIPTS, shell!) ? SCRIPTS[shell!] : undefined
      if (script === undefined) throw new UsageError(`'${shell}' is not bash, zsh or fish`)
      session.write(script)
      return Promise.resolve()
    },
  })
  const complete = declare<{ readonly property?: readonly string[] }>(samsa, {
    name: '__complete [word...]',
    summary: 'print what a command line can go on with',
    options: [option('-X, --property <key=value>', 'of the connection').argParser(append)],
    has: [],
    examples: ['samsa __complete -- topic desc'],
    run: async (session, words) => {
      const found = await completionsOf(samsa, words, session)
      session.write(found.map((word) => `${word}\n`).join(''))
    },
  })
  complete.passThroughOptions()
  // Not for people: commander has no other way to hide a command.
  Object.assign(complete, { _hidden: true })
}

/** The words that complete the last one. */
export async function completionsOf(
  samsa: Command,
  words: readonly string[],
  session: Session,
): Promise<readonly string[]> {
  const typed = words.at(-1) ?? ''
  let command = samsa
  for (const word of words.slice(0, -1)) {
    command = command.commands.find((one) => one.name() === word) ?? command
  }
  const candidates = typed.startsWith('-')
    ? command.options.flatMap(({ long, hidden }) => (long == null || hidden ? [] : [long]))
    : command.commands.length > 0
      ? command.commands.map((one) => one.name()).filter((name) => !name.startsWith('_'))
      : await namesFor(command, session)
  return candidates.filter((word) => word.startsWith(typed)).sort()
}

/** Names of the cluster for the argument of a command. Nothing where the cluster does not respond in time. */
async function namesFor(command: Command, session: Session): Promise<readonly string[]> {
  const kind = command.registeredArguments.at(-1)?.name() ?? ''
  const isTopic = /^(?:topic|source|resource)$/.test(kind)
  const isGroup = kind === 'group' || (kind === 'source' && command.parent?.name() === 'group')
  if (!isTopic && !isGroup) return []
  try {
    const admin = await session.admin()
    const call = { timeoutMs: CLUSTER_TIMEOUT_MS }
    if (isGroup) return (await admin.listGroups(call)).groups.map(({ group }) => group)
    return (await admin.listTopics(call)).map(({ topic }) => topic)
  } catch {
    return []
  }
}
