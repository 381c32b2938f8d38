import { readFileSync } from 'node:fs'

/**
 * The first 100,000 lines of a large source file that is on every machine with the dependencies installed,
 * the same everywhere: the lock file names its version. Some of them are empty, some not ASCII.
 */
export function realLines(): readonly string[] {
  const text = readFileSync('node_modules/typescript/lib/typescript.js', 'utf8')
  const lines = text.split('\n', LINE_COUNT)
  if (lines.length < LINE_COUNT) throw new Error(`Only ${lines.length} lines of data`)
  return lines
}

export const LINE_COUNT = 100_000

/** As a file has them. */
export function asFile(lines: readonly string[]): Buffer {
  return Buffer.from(lines.map((line) => `${line}\n`).join(''))
}
