import { tableOf, type CaseOutcome, type QuestionOutcome } from '../runner/outcome.ts'
import type { Scale } from '../runner/question.ts'
import { inWords } from '../runner/progress.ts'
import { chartsOf } from './charts.ts'
import type { Report } from './report.ts'
import { cellsOf, missingLines } from './text.ts'

export function markdownOf(report: Report): string {
  const { machine, scale } = report
  const parts = [
    `# ${report.date.slice(0, 10)}: ${report.command}`,
    [
      `- ${machine.processor}, ${machine.cores} cores, ${machine.memoryGB} GB; ${machine.system}; Java ${machine.java}`,
      `- samsa at ${machine.commit}; brokers: ${report.kafka}`,
      `- rounds in turns: ${scale.rounds}; a run takes up to ${scale.limitMs / 1000} s, ${scale.messages.toLocaleString('en')} messages or ${scale.bytes / 1e6} MB, warming up not counted`,
      '- Cells are medians, with half the distance between the highest and the lowest round. “samsa = 1” is how many times as good as samsa a client is, by the column before it.',
    ].join('\n'),
    '## Clients',
    versionsOf(report),
    ...report.questions.flatMap((question) => questionOf(question, scale)),
  ]
  return `${parts.join('\n\n')}\n`
}

function versionsOf({ clients }: Report): string {
  const rows = clients.map(({ name, description }) =>
    typeof description === 'string'
      ? [name, `not measured: ${description.split('\n')[0]!}`, '']
      : [name, description.version, description.runtime],
  )
  return markdownTable([['client', 'version', 'runs on'], ...rows])
}

function questionOf(question: QuestionOutcome, scale: Scale): string[] {
  const charts = chartsOf(question).map(({ file, title }) => `![${title}](${file})`)
  const where = question.kafka === '' ? '' : ` On Kafka ${question.kafka}.`
  const rounds = question.rounds === scale.rounds ? '' : ' One round, so that no spread is known.'
  return [
    `## ${question.title}`,
    `${question.about}${where}${rounds} Measured in ${inWords(tookMs(question))}.`,
    ...charts,
    ...(question.isOneTable === true ? oneTableOf(question) : question.cases.flatMap(caseOf)),
  ]
}

function tookMs({ cases }: QuestionOutcome): number {
  return cases
    .flatMap(({ outcomes }) => outcomes)
    .filter(({ sameAs }) => sameAs === undefined)
    .reduce((sum, outcome) => sum + outcome.tookMs, 0)
}

/** A row for each case, with the columns of the first that was measured. */
function oneTableOf({ cases }: QuestionOutcome): string[] {
  const tables = cases.map((outcome) => ({ outcome, cells: cellsOf(tableOf(outcome)) }))
  const figuresOf = ([, main = '', , ...others]: readonly string[]) => [
    main,
    ...others.slice(0, -1),
  ]
  const measured = tables.filter(({ cells }) => cells.length > 1)
  const [first] = measured
  if (first === undefined) return cases.flatMap(caseOf)
  const rows = measured.map(({ outcome, cells }) => [outcome.case.title, ...figuresOf(cells[1]!)])
  const missing = tables
    .filter(({ cells }) => cells.length <= 1)
    .flatMap(({ outcome }) =>
      missingLines(tableOf(outcome)).map((line) => `- ${outcome.case.title}: ${line}`),
    )
  return [
    markdownTable([['case', ...figuresOf(first.cells[0]!)], ...rows]),
    ...(missing.length === 0 ? [] : [missing.join('\n')]),
  ]
}

function caseOf(outcome: CaseOutcome): string[] {
  const table = tableOf(outcome)
  const missing = missingLines(table).map((line) => `- ${line}`)
  return [
    `### ${outcome.case.title}`,
    settingOf(outcome),
    ...(table.rows.length === 0 ? [] : [markdownTable(cellsOf(table))]),
    ...(missing.length === 0 ? [] : [missing.join('\n')]),
  ]
}

function settingOf({ case: asked }: CaseOutcome): string {
  if (asked.task === 'storm') return 'In one JVM, one process for each component.'
  const { valueBytes, partitions, topics, acks, compression, tls, messages, nullBroker } = asked
  const parts = [
    `${valueBytes.toLocaleString('en')}-byte values`,
    `${partitions.toLocaleString('en')} partitions`,
    ...(topics === 1 ? [] : [`${topics} topics`]),
    `acks ${acks === -1 ? 'all' : acks}`,
    compression === 'none' ? 'no compression' : compression,
    ...(tls ? ['TLS'] : []),
    ...(nullBroker ? ['null broker'] : []),
    `up to ${messages.toLocaleString('en')} messages`,
  ]
  return `${parts.join(', ')}.`
}

export function markdownTable(cells: readonly (readonly string[])[]): string {
  const [head, ...rows] = cells.map((row) => row.map((cell) => cell.replaceAll('|', '\\|')))
  const rule = head!.map((_, at) => (at === 0 || at === head!.length - 1 ? '---' : '---:'))
  return [head!, rule, ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n')
}
