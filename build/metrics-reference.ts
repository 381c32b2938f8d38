/** `npm run docs:metrics` writes the table of metrics into docs/metrics.md. A test compares them. */
import { readFileSync, writeFileSync } from 'node:fs'
import { format, resolveConfig } from 'prettier'
import { METRICS_DOCUMENT, withMetricTable } from './metric-docs.ts'

const isCheck = process.argv.includes('--check')
const style = await resolveConfig(METRICS_DOCUMENT)
const before = readFileSync(METRICS_DOCUMENT, 'utf8')
const after = await format(withMetricTable(before), { ...style, parser: 'markdown' })
if (isCheck && before !== after) process.stdout.write(`${METRICS_DOCUMENT} is not current\n`)
if (!isCheck) writeFileSync(METRICS_DOCUMENT, after)
