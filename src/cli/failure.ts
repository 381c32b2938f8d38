import { CommanderError } from 'commander'
import type { Writable } from 'node:stream'
import { EXIT, commonExitCodeOf, isBrokenPipe } from '../terminal/failure.ts'
import { visibleText } from '../terminal/visible.ts'

export { codeOf, UsageError } from '../terminal/failure.ts'

/**
 * The command succeeded and its answer is no: lag above the limit, or a cluster that is not ready.
 */
export class ConditionNotMetError extends Error {
  override readonly name = 'ConditionNotMetError'
}

/** Some items failed, and standard error has a line for each. */
export class ItemsReportedError extends Error {
  override readonly name = 'ItemsReportedError'
  readonly errors: readonly Error[]

  constructor(message: string, errors: readonly Error[] = []) {
    super(message)
    this.errors = errors
  }
}

/** The user answered no. */
export class DeclinedError extends Error {
  override readonly name = 'DeclinedError'
}

/** The exit code for the error that ended a command. */
export function exitCodeOf(error: unknown): number {
  return error instanceof ConditionNotMetError ? EXIT.conditionNotMet : commonExitCodeOf(error)
}

/** The line for standard error; undefined if everything has already been printed. */
export function lineOf(error: unknown): string | undefined {
  if (isBrokenPipe(error)) return undefined
  // Commander has already printed the error.
  if (error instanceof CommanderError || error instanceof ItemsReportedError) return undefined
  return inOneLine(messageOf(error))
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Ends the command with one line on standard error, and an exit code. */
export function reportFailure(error: unknown): void {
  process.exitCode = exitCodeOf(error)
  if (process.env['SAMSA_DEBUG'] === '1' && !isBrokenPipe(error)) {
    console.error(error)
    return
  }
  const line = lineOf(error)
  if (line !== undefined) console.error(`samsa: ${line}`)
}

/** Text on one line without control characters, because it may quote data from elsewhere. */
export function inOneLine(text: string): string {
  const line = text
    .replace(/^error: /, '')
    .trim()
    .replace(/\s*\n\s*/g, ' ')
  return visibleText(line)
}

/**
 * Handles the error that ends an output stream if no other code does: Node would end the process
 * with a stack trace if help is printed to a reader that has exited, such as `head`.
 */
export function reportFailuresOf(stream: Writable): void {
  stream.on('error', (error) => {
    if (stream.listenerCount('error') === 1) reportFailure(error)
  })
}
