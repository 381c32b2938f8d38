import { CommanderError } from 'commander'
import type { Writable } from 'node:stream'
import { visibleText } from './visible.ts'

/** Ends the command: one line on standard error, and an exit code that is not 0. */
export function reportFailure(error: unknown): void {
  // Whoever read our output has enough of it, such as `head`.
  if (isBrokenPipe(error)) return
  if (error instanceof CommanderError) {
    // It has said what is wrong already.
    process.exitCode = error.exitCode
    return
  }
  process.exitCode = 1
  if (process.env['SAMSA_DEBUG'] === '1') console.error(error)
  else console.error(`samsa: ${inOneLine(error instanceof Error ? error.message : String(error))}`)
}

/** Commander's errors in the same form. */
export function inOneLine(text: string): string {
  const line = text
    .replace(/^error: /, '')
    .trim()
    .replace(/\s*\n\s*/g, ' ')
  // It may quote what came from elsewhere.
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
  return error instanceof Error && 'code' in error && error.code === 'EPIPE'
}
