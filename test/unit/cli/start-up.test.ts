import { beforeAll, describe, expect, it } from '@jest/globals'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { allCommands, fullProgram, programFor } from '../../../src/cli/program.ts'
import { builtCommand } from '../../support/built.ts'
import { runCommand } from '../../support/run-command.ts'
import { TemporaryFolder } from '../../support/temporary-folder.ts'

const MAIN_TIMEOUT_MS = 240_000

describe('the start of the command', () => {
  beforeAll(() => void builtCommand(), MAIN_TIMEOUT_MS)

  it('loads no command, no client and no package for --help, --version and a typo', async () => {
    for (const args of [['--help'], ['--version'], ['tpoics']]) {
      const { sources, packages } = await loadedBy(args)
      expect(sources).toContain('src/cli/program.ts')
      expect(sources.filter(isCommand)).toEqual([])
      expect(sources.filter(isClient)).toEqual([])
      expect(packages).toEqual([])
    }
  })

  it('loads the file of one command, and no client, for the help of a command', async () => {
    const { sources, packages } = await loadedBy(['topics', '--help'])
    expect(sources.filter(isCommand)).toEqual(['src/cli/commands/topics.ts'])
    expect(sources.filter(isClient)).toEqual([])
    expect(packages).toEqual([])
  })

  it('loads the client without embedded brokers and packages for a command that needs a cluster', async () => {
    const { sources, packages } = await loadedBy(['topics', '-b', '127.0.0.1:1', '--timeout', '1s'])
    expect(sources.filter(isCommand)).toEqual(['src/cli/commands/topics.ts'])
    expect(sources).toContain('src/client.ts')
    expect(sources.filter((path) => path.startsWith('src/embedded/'))).toEqual([])
    expect(packages).toEqual([])
  })

  it('lists in --help the names, arguments and texts that the commands declare', async () => {
    const [light, full] = [await programFor(['--help']), await fullProgram()]
    expect(light.helpInformation()).toBe(full.helpInformation())
    const described = (command: typeof full) =>
      command.commands.map((one) => [one.name(), one.aliases(), one.description(), one.usage()])
    const names = (command: typeof full) => described(command).map(([name]) => name)
    expect(names(light)).toEqual(names(full))
    expect(names(full)).toContain('__complete')
  })

  it('finds a command by its second name, after help and after --', async () => {
    for (const args of [['txns'], ['help', 'topic'], ['--', 'topics']]) {
      const samsa = await programFor(args)
      const word = args.at(-1)!
      const found = samsa.commands.find(
        (one) => one.name() === word || one.aliases().includes(word),
      )
      expect(
        allCommands(found!).every(({ options }) => options.every(({ long }) => long !== '--any')),
      ).toBe(true)
      const summaries = allCommands(found!).flatMap(({ options }) =>
        options.map(({ long }) => long),
      )
      expect(summaries).toContain('--brokers')
    }
  })
})

const isCommand = (path: string): boolean => path.startsWith('src/cli/commands/')
const isClient = (path: string): boolean =>
  path === 'src/index.ts' || path === 'src/client.ts' || path.startsWith('protocol/apis/')

/** What a run of the command loads: the source files of the parts of the bundle, and files of packages. */
async function loadedBy(
  args: readonly string[],
): Promise<{ readonly sources: readonly string[]; readonly packages: readonly string[] }> {
  using folder = new TemporaryFolder()
  // Node.js writes there which scripts a process has run.
  const env = { NODE_V8_COVERAGE: folder.path }
  await runCommand(process.execPath, [builtCommand(), ...args], { env })
  const urls = readdirSync(folder.path).flatMap((name) => {
    const { result } = JSON.parse(readFileSync(join(folder.path, name), 'utf8')) as {
      result: readonly { url: string }[]
    }
    return result.map(({ url }) => url)
  })
  const files = urls.filter((url) => url.startsWith('file:')).map((url) => fileURLToPath(url))
  return {
    sources: files.filter((file) => file.includes('/dist/')).flatMap(sourcesOf),
    packages: files.filter((file) => file.includes('/node_modules/')),
  }
}

/** The files of which a part of the bundle consists. */
function sourcesOf(file: string): readonly string[] {
  const { sources } = JSON.parse(readFileSync(`${file}.map`, 'utf8')) as {
    sources: readonly string[]
  }
  return sources.map((source) => relative('.', normalize(join(dirname(file), source))))
}
