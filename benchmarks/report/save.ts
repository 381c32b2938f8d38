import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { chartsOf } from './charts.ts'
import { markdownOf } from './markdown.ts'
import type { Report } from './report.ts'

/** Writes report.md with its charts, and results.json with every round. */
export function save(report: Report, folder: string): void {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'results.json'), `${JSON.stringify(report, undefined, 1)}\n`)
  writeFileSync(join(folder, 'report.md'), markdownOf(report))
  for (const { file, svg } of report.questions.flatMap(chartsOf)) {
    writeFileSync(join(folder, file), svg)
  }
}
