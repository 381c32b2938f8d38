import { familiesOf, type MetricsReader, type PrometheusOptions } from './families.ts'

/** The content type of `metricsText()`. */
export const METRICS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/**
 * Returns the metrics of clients in the text format of Prometheus (0.0.4), for a service without prom-client. The
 * clients need different `clientId`s: Prometheus rejects a scrape that has two lines with the same labels.
 *
 * ```ts
 * response.setHeader('content-type', METRICS_CONTENT_TYPE)
 * response.end(metricsText(client))
 * ```
 */
export function metricsText(
  clients: MetricsReader | readonly MetricsReader[],
  options: PrometheusOptions = {},
): string {
  const lines: string[] = []
  for (const { name, help, type, series } of familiesOf(clients, options).values()) {
    lines.push(`# HELP ${name} ${escapeHelp(help)}`, `# TYPE ${name} ${type}`)
    for (const one of series) lines.push(`${one.name}${labelsText(one.labels)} ${one.value}`)
  }
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`
}

function labelsText(labels: Readonly<Record<string, string>>): string {
  const parts = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`)
  return parts.length === 0 ? '' : `{${parts.join(',')}}`
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
}

function escapeLabel(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"')
}
