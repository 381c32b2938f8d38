import { join, resolve } from 'node:path'
import ts from 'typescript'
import * as embedded from '../../../src/embedded/index.ts'
import * as samsa from '../../../src/index.ts'
import { entryPoints } from '../../../build/entry-points.ts'
import type { Example } from './examples.ts'
import { NAMES } from './surroundings.ts'

/** An example as a module of TypeScript: a function in whose body the example stands. */
export interface ExampleModule {
  readonly example: Example
  readonly path: string
  readonly text: string
  /** Where the example begins in `text`: how many lines are in front of it. */
  readonly linesBefore: number
}

/** Where the modules would be if they were files: imports are resolved from here. */
const FOLDER = resolve('test/support/documents')
export const PACKAGE_SOURCES: ReadonlyMap<string, string> = new Map(
  entryPoints().map(({ specifier, source }) => [specifier, resolve(source)]),
)

const IMPORT = /^import [^]*?from '[^']+'$/gm
/** What an application imports; an example may leave the import out. */
const KNOWN_IMPORTS: readonly (readonly [module: string, names: readonly string[]])[] = [
  ['samsa', Object.keys(samsa)],
  ['samsa/embedded', Object.keys(embedded)],
  ['node:crypto', ['createHash']],
  ['node:stream/promises', ['pipeline']],
  ['node:diagnostics_channel', ['subscribe']],
]

const HOSTS = /\bhosts: '[\w.-]+:\d+(?:,[\w.-]+:\d+)*'/g
const ZOOKEEPER_HOSTS = /\bzookeeperHosts: '[\w.-]+:\d+(?:,[\w.-]+:\d+)*(\/\w+)?'/g

/** `isForRunning` puts the embedded brokers in the place of the addresses in the example. */
export function moduleOf(example: Example, isForRunning: boolean): ExampleModule {
  const imports = [...`${example.setup}\n${example.code}`.matchAll(IMPORT)].map(([text]) => text)
  // The lines stay where they are, so that errors are found by their numbers.
  let body = example.code.replace(IMPORT, (text) => text.replace(/[^\n]/g, ''))
  if (isForRunning) {
    body = body
      .replace(HOSTS, 'hosts: (await surroundings.kafka).hosts')
      .replace(ZOOKEEPER_HOSTS, "zookeeperHosts: (await surroundings.zookeeper).hosts + '$1'")
  }
  const code = `${example.setup}\n${body}`
  const before = [
    "import type { Surroundings } from './surroundings.ts'",
    ...imports,
    ...missingImports(code, imports.join('\n')),
    'export default async (surroundings: Surroundings): Promise<void> => {',
    ...NAMES.filter((name) => uses(code, name) && !declares(body, name)).map(
      (name) => `const ${name} = await surroundings.${name}`,
    ),
    ...(example.runs === 'endless' ? ['const console = surroundings.console'] : []),
    example.setup.replace(IMPORT, ''),
    '{',
  ].join('\n')
  return {
    example,
    path: join(FOLDER, `${example.name.replace(/\W/g, '-')}.ts`),
    text: `${before}\n${body}\n}}\n`,
    linesBefore: before.split('\n').length,
  }
}

function missingImports(code: string, imports: string): string[] {
  return KNOWN_IMPORTS.flatMap(([module, names]) => {
    const missing = names.filter((name) => uses(code, name) && !uses(imports, name))
    return missing.length === 0 ? [] : [`import { ${missing.join(', ')} } from '${module}'`]
  })
}

function uses(code: string, name: string): boolean {
  return new RegExp(`(?<![\\w.'-])${name}(?![\\w'-]|:)`).test(code)
}

function declares(code: string, name: string): boolean {
  return new RegExp(`^(?:const|let|await using|using) ${name}\\b`, 'm').test(code)
}

/** Compiles all examples in one program with this repository's strictness: what is wrong, by example. */
export function compile(modules: readonly ExampleModule[]): Map<Example, string[]> {
  const texts = new Map(modules.map(({ path, text }) => [path, text]))
  const config: unknown = ts.readConfigFile('tsconfig.json', (path) => ts.sys.readFile(path)).config
  const { options } = ts.parseJsonConfigFileContent({ ...asObject(config), files: [] }, ts.sys, '.')
  const settings: ts.CompilerOptions = {
    ...options,
    noUnusedLocals: false,
    noUnusedParameters: false,
    paths: Object.fromEntries([...PACKAGE_SOURCES].map(([name, path]) => [name, [path]])),
  }
  const files = ts.createCompilerHost(settings)
  const host: ts.CompilerHost = {
    ...files,
    fileExists: (path) => texts.has(path) || files.fileExists(path),
    readFile: (path) => texts.get(path) ?? files.readFile(path),
    getSourceFile(path, version, ...rest) {
      const text = texts.get(path)
      if (text === undefined) return files.getSourceFile(path, version, ...rest)
      return ts.createSourceFile(path, text, version)
    },
  }
  const program = ts.createProgram([...texts.keys()], settings, host)
  return new Map(modules.map((module) => [module.example, problemsOf(program, module)]))
}

function problemsOf(program: ts.Program, { example, path, linesBefore }: ExampleModule): string[] {
  const source = program.getSourceFile(path)
  if (source === undefined) throw new Error(`${path} was not compiled`)
  const diagnostics = [
    ...program.getSyntacticDiagnostics(source),
    ...program.getSemanticDiagnostics(source),
  ]
  return diagnostics.map(({ start = 0, messageText }) => {
    const line = source.getLineAndCharacterOfPosition(start).line - linesBefore
    const place =
      line < 0 ? `${example.name} (its setup)` : `${example.file}:${example.line + line}`
    return `${place}: ${ts.flattenDiagnosticMessageText(messageText, '\n  ')}`
  })
}

function asObject(value: unknown): object {
  return typeof value === 'object' && value !== null ? value : {}
}
