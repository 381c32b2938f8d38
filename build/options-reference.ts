/** `npm run docs:options` writes the tables of options into the documents (option-docs.ts). A test compares them. */
import { readFileSync, writeFileSync } from 'node:fs'
import { format, resolveConfig } from 'prettier'
import { OPTION_SECTIONS, withOptionTables } from './option-docs.ts'

const isCheck = process.argv.includes('--check')
const documents = new Set(Object.values(OPTION_SECTIONS).map(({ document }) => document))
for (const document of documents) {
  const before = readFileSync(document, 'utf8')
  const style = await resolveConfig(document)
  const after = await format(withOptionTables(before), { ...style, parser: 'markdown' })
  if (before === after) continue
  if (isCheck) process.stdout.write(`${document} has tables of options that are not current\n`)
  else writeFileSync(document, after)
}
