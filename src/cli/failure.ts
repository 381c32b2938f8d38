import { CommanderError } from 'commander'
import type { Writable } from 'node:stream'
import { PromptInterruptedError } from '../terminal/prompt.ts'
import { visibleText } from '../terminal/visible.ts'

/** What the command exits with. 130 is 128 plus the number of SIGINT, as shells have it. */
export const EXIT = { failed: 1, usage: 2, conditionNotMet: 3, interrupted: 130 } as const

/** What was asked for makes no sense: an argument, an option, a setting. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** All went well, and the answer is no: lag above the limit, a cluster that is not ready. */
export class ConditionNotMetError extends Error {
  override readonly name = 'ConditionNotMetError'
}

/** Some items failed, and standard error has a line for each. */
export class ItemsReportedError extends Error {
  override readonly name = 'ItemsReportedError'
}

/** The user answered no. */
export class DeclinedError extends Error {
  override readonly name = 'DeclinedError'
}

/** The exit code for what ended a command. */
export function exitCodeOf(error: unknown): number {
  // The reader of the output has enough, such as `head`.
  if (isBrokenPipe(error)) return 0
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT.usage
  if (error instanceof PromptInterruptedError) return EXIT.interrupted
  if (error instanceof UsageError || codeOf(error) === 'INVALID_ARGUMENT') return EXIT.usage
  if (error instanceof ConditionNotMetError) return EXIT.conditionNotMet
  return EXIT.failed
}

/** The line for standard error; undefined where all has been said. */
export function lineOf(error: unknown): string | undefined {
  if (isBrokenPipe(error)) return undefined
  // Commander has printed what is wrong already.
  if (error instanceof CommanderError || error instanceof ItemsReportedError) return undefined
  return inOneLine(messageOf(error))
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Ends the command: one line on standard error, and an exit code. */
export function reportFailure(error: unknown): void {
  process.exitCode = exitCodeOf(error)
  if (process.env['SAMSA_DEBUG'] === '1' && !isBrokenPipe(error)) {
    console.error(error)
    return
  }
  const line = lineOf(error)
  if (line !== undefined) console.error(`samsa: ${line}`)
}

/** Text in one line without control characters: it may quote what came from elsewhere. */
export function inOneLine(text: string): string {
  const line = text
    .replace(/^error: /, '')
    .trim()
    .replace(/\s*\n\s*/g, ' ')
  return visibleText(line)
}

/**
 * Reports what ends an output stream, where nothing else does: Node ends a process with a stack trace when help is
 * printed to a reader that has left, such as `head`.
 */
export function reportFailuresOf(stream: Writable): void {
  stream.on('error', (error) => {
    if (stream.listenerCount('error') === 1) reportFailure(error)
  })
}

function isBrokenPipe(error: unknown): boolean {
  return codeOf(error) === 'EPIPE'
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
