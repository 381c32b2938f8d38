import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import type { ScenarioResult } from '../scenarios/scenario.ts'

/** What is kept of a run: without the texts of anomalies that are too many to read. */
export interface KeptResult extends Omit<ScenarioResult, 'anomalies'> {
  readonly anomalies: readonly string[]
}

const MOST_ANOMALIES = 20

/** Adds a result to the file that SAMSA_CHAOS_RESULTS names, in place of an earlier one of the same scenario. */
export function keepResult(result: ScenarioResult): void {
  const file = process.env['SAMSA_CHAOS_RESULTS']
  if (file === undefined) return
  const kept: KeptResult = {
    ...result,
    anomalies: result.anomalies
      .slice(0, MOST_ANOMALIES)
      .map(({ kind, text }) => `${kind}: ${text}`),
  }
  keep(file, [kept])
}

/** Writes results to a file, each in the place of an earlier one of the same scenario and version. */
export function keep(file: string, results: readonly KeptResult[]): void {
  const all = readResults(file)
  for (const one of results) {
    const at = all.findIndex(({ title, version }) => title === one.title && version === one.version)
    if (at < 0) all.push(one)
    else all[at] = one
  }
  writeFileSync(file, `${JSON.stringify(all, undefined, 1)}\n`)
}

export function readResults(file: string): KeptResult[] {
  if (!existsSync(file)) return []
  return JSON.parse(readFileSync(file, 'utf8')) as KeptResult[]
}
