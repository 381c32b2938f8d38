/** `npm run docs:metrics` writes the table of metrics into docs/metrics.md. A test compares them. */
import { updateDocuments } from './generated-document.ts'
import { METRICS_DOCUMENT, withMetricTable } from './metric-docs.ts'

await updateDocuments([METRICS_DOCUMENT], withMetricTable)
