/** `npm run docs:metrics` writes the table of metrics into docs/metrics.md. A test compares them. */
import { updateDocument } from './generated-document.ts'
import { METRICS_DOCUMENT, withMetricTable } from './metric-docs.ts'

await updateDocument(METRICS_DOCUMENT, withMetricTable)
