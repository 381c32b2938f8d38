import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { chartsOf } from './charts.ts'
import { markdownOf } from './markdown.ts'
import type { Report } from './report.ts'

const RESULTS = 'results.json'

/** Writes report.md with its charts, and results.json with every round. */
export function save(report: Report, folder: string): void {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, RESULTS), `${JSON.stringify(report, undefined, 1)}\n`)
  writeFileSync(join(folder, 'report.md'), markdownOf(report))
  for (const { file, svg } of report.questions.flatMap(chartsOf)) {
    writeFileSync(join(folder, file), svg)
  }
}

/** What `save` has written; throws if it is something else. */
export function readReport(folder: string): Report {
  const file = join(folder, RESULTS)
  const report: unknown = JSON.parse(readFileSync(file, 'utf8'))
  if (!isReport(report)) throw new Error(`${file} is no report of npm run bench`)
  return report
}

function isReport(value: unknown): value is Report {
  return (
    typeof value === 'object' &&
    value !== null &&
    'questions' in value &&
    Array.isArray(value.questions) &&
    'scale' in value
  )
}
