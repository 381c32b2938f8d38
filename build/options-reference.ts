/** `npm run docs:options` writes the tables of options into the documents (option-docs.ts). A test compares them. */
import { updateDocument } from './generated-document.ts'
import { OPTION_SECTIONS, withOptionTables } from './option-docs.ts'

const documents = new Set(Object.values(OPTION_SECTIONS).map(({ document }) => document))
for (const document of documents) await updateDocument(document, withOptionTables)
