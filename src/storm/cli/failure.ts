import { CommanderError } from 'commander'
import { visibleText } from '../../terminal/visible.ts'
import { StormError } from '../errors.ts'

/** What the command exits with. 130 is 128 plus the number of SIGINT, as shells have it. */
export const EXIT = { failed: 1, usage: 2, interrupted: 130 } as const

/** What was asked for makes no sense: an argument, an option, the config file. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

export function exitCodeOf(error: unknown): number {
  if (isBrokenPipe(error)) return 0
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT.usage
  if (error instanceof UsageError) return EXIT.usage
  if (error instanceof StormError && error.code === 'INVALID_ARGUMENT') return EXIT.usage
  return EXIT.failed
}

/** Ends the command: what is wrong on standard error, and an exit code. */
export function reportFailure(error: unknown): void {
  process.exitCode = exitCodeOf(error)
  // The reader of the output has enough, such as `head`; and commander has said what is wrong.
  if (isBrokenPipe(error) || error instanceof CommanderError) return
  if (process.env['SAMSA_DEBUG'] === '1') console.error(error)
  else console.error(`sparse: ${textOf(error)}`)
}

/** As JSON, for `--json`. */
export function failureAsJson(error: unknown): object {
  const code = error instanceof StormError ? { code: error.code } : {}
  const component =
    error instanceof StormError && error.component !== undefined
      ? { component: error.component }
      : {}
  return { error: { message: textOf(error), ...code, ...component } }
}

/** Without control characters: it may quote what came from elsewhere. */
function textOf(error: unknown): string {
  return visibleText((error instanceof Error ? error.message : String(error)).trim())
}

function isBrokenPipe(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EPIPE'
}
