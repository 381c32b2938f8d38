import { beforeAll, describe, expect, it } from '@jest/globals'
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import ts from 'typescript'
import { OPTION_SECTIONS, ownOptionsOf } from '../../../build/option-docs.ts'

const LOAD_TIMEOUT_MS = 180_000

/** Finds references as an editor does: through the types that are computed of an interface, too. */
let service: ts.LanguageService

beforeAll(() => {
  const files = ['src', 'protocol'].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => resolve(join(folder, file))),
  )
  const { options } = ts.parseJsonConfigFileContent(
    ts.readConfigFile('tsconfig.json', (path) => ts.sys.readFile(path)).config,
    ts.sys,
    '.',
  )
  service = ts.createLanguageService({
    fileExists: (path) => ts.sys.fileExists(path),
    readFile: (path) => ts.sys.readFile(path),
    directoryExists: (path) => ts.sys.directoryExists(path),
    getCompilationSettings: () => options,
    getScriptFileNames: () => files,
    getScriptVersion: () => '1',
    getScriptSnapshot: (path) => {
      const text = ts.sys.readFile(path)
      return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text)
    },
    getCurrentDirectory: () => resolve('.'),
    getDefaultLibFileName: (settings) => ts.getDefaultLibFilePath(settings),
  })
}, LOAD_TIMEOUT_MS)

/** The lines that read an option: not its interface, not its table. */
function readersOf(name: string, source: string, option: string): string[] {
  const path = resolve(source)
  const text = readFileSync(path, 'utf8')
  const declaration = new RegExp(
    `^(?:export )?(?:interface|type) ${name}\\b[^]*?^  +readonly ${option}\\??:`,
    'm',
  )
  const found = declaration.exec(text)
  if (found === null) throw new Error(`${source} does not declare ${name}.${option}`)
  const position = found.index + found[0].lastIndexOf(option)
  const references = service.getReferencesAtPosition(path, position) ?? []
  return references
    .filter((reference) => !reference.isWriteAccess || isDestructured(reference))
    .map((reference) => lineAt(reference))
    .filter((line) => !/^\s*(?:readonly )?'?\w+'?\??: /.test(line) || /\b\w+\.\w+/.test(line))
    .filter((line) => !line.includes('check:'))
}

function isDestructured({ fileName, textSpan }: ts.ReferenceEntry): boolean {
  const file = service.getProgram()!.getSourceFile(fileName)!
  let node: ts.Node = file
  for (let next: ts.Node | undefined = node; next !== undefined;) {
    node = next
    next = ts.forEachChild(node, (child) =>
      child.getStart(file) <= textSpan.start && textSpan.start < child.end ? child : undefined,
    )
  }
  return ts.isBindingElement(node.parent)
}

function lineAt({ fileName, textSpan }: ts.ReferenceEntry): string {
  const text = readFileSync(fileName, 'utf8')
  const start = text.lastIndexOf('\n', textSpan.start) + 1
  return text.slice(start, text.indexOf('\n', textSpan.start))
}

describe.each(Object.entries(OPTION_SECTIONS))('%s', (name, { source }) => {
  const effective = ownOptionsOf(name).filter(([, { ignored }]) => ignored === undefined)

  it.each(effective.map(([option]) => option))('reads %s', (option) => {
    expect(readersOf(name, source, option)).not.toEqual([])
  })
})
