import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { builtCommand } from './built.ts'
import { runCommand } from './run-command.ts'

const TIMEOUT_MS = 300_000

/** Installs the packed package, as users get it, into an empty folder. Resolves with what npm printed. */
export async function installPacked(
  folder: string,
  otherPackages: readonly string[] = [],
): Promise<string> {
  builtCommand()
  await npm(['pack', '--ignore-scripts', '--pack-destination', folder])
  const archive = readdirSync(folder).find((name) => name.endsWith('.tgz'))!
  writeFileSync(join(folder, 'package.json'), '{ "name": "application", "private": true }')
  const options = ['--no-audit', '--no-fund', '--prefer-offline']
  return npm(['install', ...options, `./${archive}`, ...otherPackages], folder)
}

/** Runs npm: what it printed. */
export async function npm(args: readonly string[], cwd = '.'): Promise<string> {
  const { exitCode, stdout, stderr } = await runCommand('npm', args, { cwd, timeoutMs: TIMEOUT_MS })
  if (exitCode !== 0)
    throw new Error(`npm ${args.join(' ')} failed:\n${stdout.toString()}${stderr}`)
  return stdout.toString() + stderr
}
