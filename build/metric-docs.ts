/** The table of metrics in docs/metrics.md, from the catalog. */
import { METRICS, type MetricDeclaration } from '../src/observe/metrics/catalog.ts'

export const METRICS_DOCUMENT = 'docs/metrics.md'

const SECTION = /<!-- metrics -->[^]*<!-- end of metrics -->/

/** The document with the table that the catalog makes. */
export function withMetricTable(document: string): string {
  if (!SECTION.test(document)) throw new Error(`${METRICS_DOCUMENT} has no place for the table`)
  const rows = Object.entries<MetricDeclaration>(METRICS).map(
    ([name, { kind, unit, labels, description }]) => {
      const names = labels.map((label) => `\`${label}\``).join(', ')
      return `| \`${name}\` | ${kind} | ${unit} | ${names} | ${description} |`
    },
  )
  const table = ['| Metric | Kind | Unit | Labels | Meaning |', '| - | - | - | - | - |', ...rows]
  const parts = ['<!-- metrics -->', '', ...table, '', '<!-- end of metrics -->']
  return document.replace(SECTION, () => parts.join('\n'))
}
