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

/** A row a fault that the Java client went through at the same time. */
export function recoveryTable(results: readonly KeptResult[]): string {
  const rows = results.flatMap(({ version, injected }) =>
    injected.flatMap(({ name, samsa, java }) =>
      samsa === undefined || java === undefined
        ? []
        : [
            [
              name,
              version,
              ...[samsa.produceMs, java.produceMs, samsa.consumeMs, java.consumeMs].map(seconds),
            ],
          ],
    ),
  )
  const head = ['Fault', 'Kafka', 'samsa produces, s', 'Java', 'samsa consumes, s', 'Java']
  return table(head, rows)
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}
