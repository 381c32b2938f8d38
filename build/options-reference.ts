/** `npm run docs:options` writes the tables of options into the documents (option-docs.ts). A test compares them. */
import { updateDocuments } from './generated-document.ts'
import { OPTION_SECTIONS, withOptionTables } from './option-docs.ts'

const documents = new Set(Object.values(OPTION_SECTIONS).map(({ document }) => document))
await updateDocuments(documents, withOptionTables)
