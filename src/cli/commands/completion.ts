import type { Command, Option } from 'commander'
import { declare } from '../command.ts'
import { UsageError } from '../failure.ts'
import { Session, type CommonOptions } from '../session.ts'

/** How long a completion waits for the cluster, while the user is typing. */
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
  found=("\${(@)found:#}")
  if (( \${#found} )); then compadd -a found; else _default; fi
}
if [ "\${funcstack[1]}" = "_samsa" ]; then _samsa "$@"; else compdef _samsa samsa; fi
`,
  fish: `complete -c samsa -f -a '(samsa __complete -- (commandline -opc)[2..] (commandline -ct) 2>/dev/null)'
`,
}

/** Adds `samsa completion`, and the command that the scripts call. */
export function completionCommands(samsa: Command, all: () => Promise<Command>): void {
  declare(samsa, {
    name: 'completion <shell>',
    summary: 'print the completion script for bash, zsh or fish',
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
  const complete = declare(samsa, {
    name: '__complete [word...]',
    summary: 'print the words that can follow on a command line',
    has: [],
    examples: ['samsa __complete -- topic desc'],
    run: async (session, words) => {
      const found = await completionsOf(await all(), words)
      session.write(found.map((word) => `${word}\n`).join(''))
    },
  })
  complete.passThroughOptions()
  // Not for users: commander has no other way to hide a command.
  Object.assign(complete, { _hidden: true })
}

/** The possible completions of the last word. */
type Place =
  | { readonly kind: 'option'; readonly command: Command }
  | { readonly kind: 'value'; readonly option: Option }
  | { readonly kind: 'command'; readonly command: Command }
  | { readonly kind: 'argument'; readonly command: Command; readonly index: number }

/** The words that complete the last one. */
export async function completionsOf(
  samsa: Command,
  words: readonly string[],
): Promise<readonly string[]> {
  const typed = words.at(-1) ?? ''
  const { place, options } = placeOf(samsa, words)
  const candidates = await candidatesFor(place, options)
  return [...new Set(candidates)].filter((word) => word.startsWith(typed)).sort()
}

/** Reads the words before the last one, and collects the options that identify the cluster. */
function placeOf(
  samsa: Command,
  words: readonly string[],
): { readonly place: Place; readonly options: CommonOptions } {
  let command = samsa
  let index = 0
  const given: Record<string, string> = {}
  const property: string[] = []
  const before = words.slice(0, -1)
  for (let at = 0; at < before.length; at++) {
    const word = before[at]!
    if (word.startsWith('-') && word !== '-') {
      const [flag, inline] = word.split('=', 2)
      const option = command.options.find(({ short, long }) => short === flag || long === flag)
      if (option === undefined || !option.required || inline !== undefined) continue
      const value = before[++at]
      if (value === undefined)
        return { place: { kind: 'value', option }, options: { ...given, property } }
      const name = option.attributeName()
      if (name === 'property') property.push(value)
      else given[name] = value
      continue
    }
    const sub = command.commands.find((one) => one.name() === word || one.aliases().includes(word))
    if (sub === undefined) index++
    else command = sub
  }
  const typed = words.at(-1) ?? ''
  if (typed.startsWith('-'))
    return { place: { kind: 'option', command }, options: { ...given, property } }
  const place: Place =
    command.commands.length > 0
      ? { kind: 'command', command }
      : { kind: 'argument', command, index }
  return { place, options: { ...given, property } }
}

async function candidatesFor(place: Place, options: CommonOptions): Promise<readonly string[]> {
  switch (place.kind) {
    case 'option':
      return place.command.options.flatMap(({ long, hidden }) =>
        long == null || hidden ? [] : [long],
      )
    case 'command':
      return place.command.commands.map((one) => one.name()).filter((name) => !name.startsWith('_'))
    case 'value':
      return place.option.argChoices ?? (await namesOf(place.option.attributeName(), options))
    case 'argument': {
      const { command, index } = place
      const all = command.registeredArguments
      const argument = all[index] ?? (all.at(-1)?.variadic === true ? all.at(-1) : undefined)
      if (argument === undefined) return []
      const isOfGroup = argument.name() === 'source' && command.parent?.name() === 'group'
      return namesOf(isOfGroup ? 'group' : argument.name(), options)
    }
  }
}

const SHELLS = ['bash', 'zsh', 'fish']
const TOPICS = /^(?:topic|source|resource|pattern)$/
const GROUPS = /^(?:group|groupId|resume)$/
const PROFILES = /^(?:profile|toProfile)$/

/**
 * Names for an argument or the value of an option. Empty if the cluster does not respond in time.
 */
async function namesOf(kind: string, options: CommonOptions): Promise<readonly string[]> {
  if (kind === 'shell') return SHELLS
  await using session = new Session(options)
  if (PROFILES.test(kind)) return session.profiles.list()
  if (!TOPICS.test(kind) && !GROUPS.test(kind)) return []
  try {
    const admin = await session.admin()
    const call = { timeoutMs: CLUSTER_TIMEOUT_MS }
    if (GROUPS.test(kind)) return (await admin.listGroups(call)).groups.map(({ group }) => group)
    return await admin.listTopicNames(call)
  } catch {
    return []
  }
}
