import { CommanderError } from 'commander'

/** The exit codes of commands. 130 is 128 plus the number of SIGINT, as in shells. */
export const EXIT = { failed: 1, usage: 2, conditionNotMet: 3, interrupted: 130 } as const

/** Invalid input: an argument, an option, a setting, or a file of settings. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** Ctrl-C during a prompt. */
export class PromptInterruptedError extends Error {
  override readonly name = 'PromptInterruptedError'
}

/** The exit code for the error that ended a command. */
export function commonExitCodeOf(error: unknown): number {
  // The reader of the output has exited, such as `head`.
  if (isBrokenPipe(error)) return 0
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT.usage
  if (error instanceof PromptInterruptedError) return EXIT.interrupted
  if (error instanceof UsageError || codeOf(error) === 'INVALID_ARGUMENT') return EXIT.usage
  return EXIT.failed
}

export function isBrokenPipe(error: unknown): boolean {
  return codeOf(error) === 'EPIPE'
}

/** The code of an error, if it has one. */
export function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
