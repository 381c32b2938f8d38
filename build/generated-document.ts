import { readFileSync, writeFileSync } from 'node:fs'
import { format, resolveConfig } from 'prettier'

/**
 * Writes documents with their generated parts, formatted, and prints the name of each that has changed. With the argument
 * `--check` it changes nothing, and prints only the name of a document that is not current.
 */
export async function updateDocuments(
  paths: Iterable<string>,
  generate: (document: string) => string | Promise<string>,
): Promise<void> {
  const isCheck = process.argv.includes('--check')
  const stale: string[] = []
  const current: string[] = []
  for (const path of paths) {
    const before = readFileSync(path, 'utf8')
    const style = await resolveConfig(path)
    const after = await format(await generate(before), { ...style, parser: 'markdown' })
    ;(before === after ? current : stale).push(path)
    if (before !== after && !isCheck) writeFileSync(path, after)
  }
  for (const path of stale) console.log(isCheck ? `${path} is not current` : `${path} written`)
  if (stale.length === 0 && !isCheck) console.log(`current: ${current.join(', ')}`)
}
