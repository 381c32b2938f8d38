import { beforeAll, describe, expect, it } from '@jest/globals'
import { builtCommand } from '../../support/built.ts'
import { documents, examplesOf, type Example } from '../../support/documents/examples.ts'
import { compile, moduleOf } from '../../support/documents/modules.ts'
import { problemWhenRun } from '../../support/documents/run-example.ts'
import { problemInShell, usesCommand } from '../../support/documents/run-shell.ts'

const examples = documents().flatMap((file) => examplesOf(file))
const inTypeScript = examples.filter(({ language }) => language === 'ts')
const inShell = examples.filter(usesCommand)
const thatRun = inTypeScript.filter(({ runs }) => runs !== 'never')

/** For authors of a document: test/support/documents/examples.ts explains the comments. */
const HINT = 'test/support/documents/surroundings.ts has the names that an example may use.'

describe('the examples in the documents', () => {
  let problems: Map<Example, string[]>

  beforeAll(() => {
    problems = compile(inTypeScript.map((example) => moduleOf(example, false)))
  })

  it('are found', () => {
    expect(inTypeScript.length).toBeGreaterThan(25)
    expect(inShell.length).toBeGreaterThan(3)
    expect(thatRun.length).toBeGreaterThan(20)
  })

  it('are each in a language that a test supports', () => {
    // Diagrams in mermaid are drawn, not run; Python is what the guide for users of pykafka starts from.
    const known = ['ts', 'js', 'sh', 'json', 'yaml', 'mermaid', 'python', '']
    expect(examples.filter(({ language }) => !known.includes(language))).toEqual([])
  })

  it.each(inTypeScript)('$name compiles', (example) => {
    const found = problems.get(example)!
    if (found.length > 0) throw new Error(`${found.join('\n')}\n${HINT}`)
  })

  it.each(thatRun)('$name runs', async (example) => {
    const problem = await problemWhenRun(example)
    if (problem !== undefined) throw new Error(problem)
  })
})

describe('the shell examples in the documents', () => {
  beforeAll(() => void builtCommand())

  it.each(inShell)('$name runs', async (example) => {
    const problem = await problemInShell(example)
    if (problem !== undefined) throw new Error(problem)
  })

  it('fail when a command fails', async () => {
    const [example] = examplesOf('a.md', '```sh\nsamsa consume no-such-topic\n```')
    expect(await problemInShell(example!)).toContain('no-such-topic')
  })
})

describe('the search for examples', () => {
  const document = [
    '<!-- example: endless -->',
    '<!-- setup:',
    'const one = 1',
    '-->',
    '',
    '```ts',
    'one + 1',
    '```',
  ].join('\n')

  it('finds the code, its line, and the comments before it', () => {
    expect(examplesOf('a.md', document)).toEqual([
      {
        name: 'a.md:7',
        file: 'a.md',
        line: 7,
        language: 'ts',
        code: 'one + 1',
        setup: 'const one = 1\n',
        runs: 'endless',
      },
    ])
  })

  it('rejects an omitted example without a reason', () => {
    const found = () => examplesOf('a.md', '<!-- example: compile only -->\n```ts\n```')
    expect(found).toThrow('a.md:3: "example: compile only" is neither "endless" nor')
  })

  it('reports code that does not compile, with its line in the document', () => {
    const [example] = examplesOf('a.md', '```ts\nconst a = 1\nconst b: string = a\n```')
    const found = compile([moduleOf(example!, false)]).get(example!)
    expect(found).toEqual(["a.md:3: Type 'number' is not assignable to type 'string'."])
  })

  it('reports code that fails when it runs', async () => {
    const [example] = examplesOf('a.md', "```ts\nthrow new Error('it broke')\n```")
    expect(await problemWhenRun(example!)).toContain('it broke')
  })
})
