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
  const others = readResults(file).filter(
    ({ title, version }) => title !== kept.title || version !== kept.version,
  )
  writeFileSync(file, `${JSON.stringify([...others, kept], undefined, 1)}\n`)
}

export function readResults(file: string): KeptResult[] {
  if (!existsSync(file)) return []
  return JSON.parse(readFileSync(file, 'utf8')) as KeptResult[]
}
