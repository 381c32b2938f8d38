import { UsageError } from './failure.ts'

/** What is a mode of kcat, by its letter, and a command here. */
const MODES: Readonly<Record<string, string>> = {
  C: 'samsa consume',
  P: 'samsa produce',
  G: 'samsa consume TOPIC --group ID',
  L: 'samsa topics, samsa topic describe and samsa cluster describe',
  Q: 'samsa offsets list TOPIC --at TIME',
  M: 'samsa broker',
}

/** Throws UsageError for a command line that begins as kcat's do, with the command that does the same. */
export function refuseKcatModes(args: readonly string[]): void {
  if (args[0]?.startsWith('-') !== true) return
  for (const arg of args) {
    const letter = /^-([A-Z])/.exec(arg)?.[1]
    const command = letter === undefined ? undefined : MODES[letter]
    if (command !== undefined) {
      throw new UsageError(`-${letter} is a mode of kcat; the same is done by ${command}`)
    }
  }
}
