/** A project with topologies, and the built command `sparse` in it. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { builtCommand } from '../built.ts'
import { runCommand, type CommandResult } from '../run-command.ts'
import { TemporaryFolder } from '../temporary-folder.ts'
import { stormLibs } from './local-storm.ts'

const COMMAND = 'dist/src/storm/cli/main.js'
const TIMEOUT_MS = 300_000

let built: string | undefined

/** The built `sparse`, as users run it: looked at once, so that all of a test runs the same. */
export function builtSparse(): string {
  if (built === undefined) {
    builtCommand()
    built = resolve(COMMAND)
  }
  return built
}

export class SparseProject implements Disposable {
  readonly #folder = new TemporaryFolder()

  /** Texts by path. The project finds samsa as it is built here. */
  constructor(files: Readonly<Record<string, string>>) {
    builtSparse()
    for (const [path, text] of Object.entries(files)) this.write(path, text)
    mkdirSync(join(this.path, 'node_modules'))
    symlinkSync(resolve('.'), join(this.path, 'node_modules', 'samsa'))
  }

  get path(): string {
    return this.#folder.path
  }

  write(path: string, text: string | Buffer): void {
    const file = join(this.path, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }

  /** Runs `sparse` in the project. */
  async sparse(
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<CommandResult> {
    return runCommand(process.execPath, [builtSparse(), ...args], {
      cwd: this.path,
      env: { STORM_HOME: await stormLibs(), NO_COLOR: '1', ...env },
      timeoutMs: TIMEOUT_MS,
    })
  }

  /** What `sparse` printed: it must succeed. */
  async output(args: readonly string[]): Promise<string> {
    const { exitCode, signal, stdout, stderr } = await this.sparse(args)
    if (exitCode === 0) return stdout.toString()
    throw new Error(
      `sparse ${args.join(' ')} ended with ${signal ?? `exit code ${exitCode}`}:\n${stderr}${stdout.toString()}`,
    )
  }

  /** The same as data. */
  async json(args: readonly string[]): Promise<unknown> {
    return JSON.parse(await this.output([...args, '--json']))
  }

  [Symbol.dispose](): void {
    this.#folder[Symbol.dispose]()
  }
}
