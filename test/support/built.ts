import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'

const MAIN = resolve('dist/src/cli/main.js')

/** The built command, as users run it: built again where a source file is newer. */
export function builtCommand(): string {
  if (!existsSync(MAIN) || newest(['src', 'protocol', 'build']) > statSync(MAIN).mtimeMs) build()
  return MAIN
}

function build(): void {
  const { status, stdout, stderr } = spawnSync('npm', ['run', 'build'], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`The build failed:\n${stdout}${stderr}`)
}

function newest(folders: readonly string[]): number {
  const times = folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => statSync(join(folder, name)).mtimeMs),
  )
  return Math.max(...times)
}
