import { resolve } from 'node:path'
import { runCommand, type CommandResult } from '../run-command.ts'

export interface ChildReport {
  readonly [figure: string]: number
}

/**
 * Runs a script of this folder in a process of its own, which must end by itself: it prints figures as
 * JSON when it has closed everything.
 */
export async function runChild(
  script: string,
  args: readonly string[],
  timeoutMs: number,
): Promise<ChildReport> {
  const file = resolve('test/support/chaos', script)
  const child = ['--expose-gc', '--import', 'tsx', file, ...args]
  const result = await runCommand(process.execPath, child, { timeoutMs })
  return reportOf(result)
}

function reportOf({ exitCode, signal, stdout, stderr }: CommandResult): Record<string, number> {
  if (exitCode !== 0) {
    throw new Error(
      `It ended with ${signal ?? `exit code ${exitCode}`}: ${stdout.toString()}${stderr}`,
    )
  }
  const figures: unknown = JSON.parse(stdout.toString())
  if (typeof figures !== 'object' || figures === null)
    throw new Error(`No report: ${stdout.toString()}`)
  return Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, Number(value)]))
}
