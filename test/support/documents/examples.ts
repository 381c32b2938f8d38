/**
 * The code blocks of the documents. A comment that Markdown does not show, on the lines before a block, says
 * how the test treats it:
 *
 *     <!-- example: compile only, because it needs an account at AWS -->
 *     <!-- example: endless -->                 the first message that it handles ends it
 *     <!-- setup: const bytes = new Uint8Array() -->    code in front of the block, of one line or several
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Example {
  /** Such as `docs/consumer.md:9`, the line of its first line of code. */
  readonly name: string
  readonly file: string
  readonly line: number
  readonly language: string
  readonly code: string
  readonly setup: string
  readonly runs: 'to its end' | 'endless' | 'never'
}

const FENCE = /^ *```(\S*) *$/
const COMMENT = /^<!-- *(setup|example): *([\s\S]*?) *-->$/
const COMPILE_ONLY = /^compile only, because \S/

export function documents(): string[] {
  const isDocument = (name: string): boolean => name.endsWith('.md') && name !== 'CHANGELOG.md'
  return ['.', 'docs']
    .flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)))
    .filter(isDocument)
    .sort()
}

export function examplesOf(file: string, text = readFileSync(file, 'utf8')): Example[] {
  const lines = text.split('\n')
  const examples: Example[] = []
  for (let index = 0; index < lines.length; index++) {
    const language = FENCE.exec(lines[index]!)?.[1]
    if (language === undefined) continue
    const end = lines.findIndex((line, at) => at > index && FENCE.test(line))
    if (end < 0) throw new Error(`${file}:${index + 1}: the code block has no end`)
    const name = `${file}:${index + 2}`
    const code = lines.slice(index + 1, end).join('\n')
    const directives = directivesBefore(lines, index, name)
    examples.push({ name, file, line: index + 2, language, code, ...directives })
    index = end
  }
  return examples
}

function directivesBefore(
  lines: readonly string[],
  fence: number,
  name: string,
): Pick<Example, 'setup' | 'runs'> {
  let setup = ''
  let runs: Example['runs'] = 'to its end'
  let end = fence
  for (;;) {
    while (lines[end - 1]?.trim() === '') end--
    if (lines[end - 1]?.trimEnd().endsWith('-->') !== true) return { setup, runs }
    let start = end - 1
    while (start > 0 && !lines[start]!.startsWith('<!--')) start--
    const comment = COMMENT.exec(lines.slice(start, end).join('\n').trim())
    if (comment === null) return { setup, runs }
    const [, kind, content = ''] = comment
    if (kind === 'setup') setup = `${content.trim()}\n${setup}`
    else if (content === 'endless') runs = 'endless'
    else if (COMPILE_ONLY.test(content)) runs = 'never'
    else {
      throw new Error(
        `${name}: "example: ${content}" is neither "endless" nor "compile only, because …"`,
      )
    }
    end = start
  }
}
