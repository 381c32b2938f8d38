import { comparedRecoveries, median } from './recoveries.ts'
import type { KeptResult } from './results.ts'

const number = (value: number) => value.toLocaleString('en')
const seconds = (ms: number) => (ms / 1_000).toFixed(1)

/** A row a scenario and version. */
export function scenarioTable(results: readonly KeptResult[]): string {
  const rows = results.map(({ title, faults, version, figures }) => {
    const { sent, unknown, failed, lost, duplicated, reordered, redelivered } = figures
    const gaps = `${seconds(figures.longestProduceGapMs)} / ${seconds(figures.longestConsumeGapMs)}`
    return [
      title,
      faults,
      version,
      number(sent),
      ...[lost, duplicated, reordered, failed + unknown, redelivered].map(number),
      gaps,
    ]
  })
  return table(
    [
      'What holds',
      'Faults',
      'Kafka',
      'Messages',
      'Lost',
      'Duplicated',
      'Reordered',
      'Failed or unknown',
      'Delivered again',
      'Longest gap, s (produce / consume)',
    ],
    rows,
  )
}

/** A row for each kind of fault that the Java client went through at the same time: medians, and all samples. */
export function recoveryTable(results: readonly KeptResult[]): string {
  const rows = comparedRecoveries(results).map(({ fault, version, what, samsa, java }) => [
    fault,
    version,
    what,
    ...[samsa, java].map((samples) => seconds(median(samples))),
    ...[samsa, java].map((samples) => samples.map(seconds).join(', ')),
  ])
  const head = ['Fault', 'Kafka', 'What', 'samsa, s', 'Java, s', 'Samples of samsa', 'Of Java']
  return table(head, rows)
}

/** A row for each client that lived through an hour of the soak. */
export function footprintTable({ footprints }: KeptResult): string {
  const mebibytes = (bytes: number) => (bytes / 1024 / 1024).toFixed(1)
  const rows = footprints.map(({ name, samples, heapBytes, handles }) => [
    name,
    number(samples),
    heapBytes.map(mebibytes).join(' → '),
    handles.join(' → '),
  ])
  return table(['Client', 'Samples', 'Heap, MiB', 'Handles'], rows)
}

/** What an hour of the soak did, and what came of it. */
export function soakText(result: KeptResult): string {
  const { version, seed, durationMs, figures, injected, anomalies } = result
  const counts = new Map<string, number>()
  for (const { name } of injected) counts.set(name, (counts.get(name) ?? 0) + 1)
  const kinds = [...counts].map(([name, count]) => `${name} ${count}`).join(', ')
  const { sent, lost, duplicated, reordered, failed, unknown, redelivered } = figures
  const minutes = Math.round(durationMs / 60_000)
  return [
    `${minutes} minutes on Kafka ${version} with seed ${seed}: ${injected.length} faults (${kinds}).`,
    `${number(sent)} messages: ${lost} lost, ${duplicated} duplicated, ${reordered} reordered,`,
    `${number(failed + unknown)} failed or unknown (of killed producers), ${number(redelivered)} delivered again;`,
    `${anomalies.length} anomalies.`,
  ].join(' ')
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}
