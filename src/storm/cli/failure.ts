import { CommanderError } from 'commander'
import { commonExitCodeOf, isBrokenPipe } from '../../terminal/failure.ts'
import { visibleText } from '../../terminal/visible.ts'
import { StormError } from '../errors.ts'

/** Ends the command with the error on standard error, and an exit code. */
export function reportFailure(error: unknown): void {
  process.exitCode = commonExitCodeOf(error)
  // The reader of the output has exited, such as `head`; or commander has already printed the
  // error.
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

/** Without control characters, because it may quote text from elsewhere. */
function textOf(error: unknown): string {
  return visibleText((error instanceof Error ? error.message : String(error)).trim())
}
