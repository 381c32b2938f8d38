import { UsageError } from './failure.ts'

/** The commands that correspond to kcat's modes, by their letters. */
const MODES: Readonly<Record<string, string>> = {
  C: 'samsa consume',
  P: 'samsa produce',
  G: 'samsa consume TOPIC --group ID',
  L: 'samsa topics, samsa topic describe and samsa cluster describe',
  Q: 'samsa offsets list TOPIC --at TIME',
  M: 'samsa broker',
}

/** Throws UsageError for a command line in kcat's form, with the corresponding command. */
export function refuseKcatModes(args: readonly string[]): void {
  if (args[0]?.startsWith('-') !== true) return
  for (const arg of args) {
    const letter = /^-([A-Z])/.exec(arg)?.[1]
    const command = letter === undefined ? undefined : MODES[letter]
    if (command !== undefined) {
      throw new UsageError(`-${letter} is a mode of kcat: use ${command}`)
    }
  }
}
