import { readFileSync, writeFileSync } from 'node:fs'
import { format, resolveConfig } from 'prettier'

/**
 * Writes a document with its generated part, formatted. With the argument `--check` it changes nothing, and prints the
 * name of a document that is not current.
 */
export async function updateDocument(
  path: string,
  generate: (document: string) => string | Promise<string>,
): Promise<void> {
  const before = readFileSync(path, 'utf8')
  const style = await resolveConfig(path)
  const after = await format(await generate(before), { ...style, parser: 'markdown' })
  if (before === after) return
  if (process.argv.includes('--check')) process.stdout.write(`${path} is not current\n`)
  else writeFileSync(path, after)
}
