import { METRICS, type MetricDeclaration } from '../../../src/index.ts'

/** The labels that Prometheus adds to what it scrapes. */
const OF_PROMETHEUS = ['job', 'instance']
/** A label of samsa's that samsa/prometheus has only with `{ partitions: true }`. */
const ON_REQUEST = 'partition'

const declarations = new Map<string, MetricDeclaration>(Object.entries(METRICS))

/**
 * What is wrong with the metrics and labels of a query: those that samsa/prometheus does not export, and labels in
 * `shown` (as `{{label}}` or `$labels.label`) that the result does not have. It reads the part of PromQL that
 * docs/monitoring/ uses.
 */
export function problemsIn(expr: string, shown = ''): string[] {
  const aggregations = aggregationsIn(expr)
  const shownLabels = [...shown.matchAll(/\{\{\s*(?:\$labels\.)?(\w+)\s*\}\}/g)].map(
    ([, label]) => label!,
  )
  return [
    ...metricsIn(expr).flatMap(({ name, labels }) => problemsOf(name, labels)),
    ...aggregations.flatMap(({ by, of }) =>
      metricsIn(of).flatMap(({ name }) => problemsOf(name, by)),
    ),
    ...shownLabels
      .filter((label) => !aggregations.every(({ by }) => by.includes(label)))
      .map((label) => `the result has no label ${label}`),
  ]
}

/** The names of the metrics in a query, with the labels of their selectors. */
export function metricsIn(expr: string): { readonly name: string; readonly labels: string[] }[] {
  const named = [...expr.matchAll(/\b(samsa_[a-z_]+)\b(?:\{([^}]*)\})?/g)]
  const byPattern = [...expr.matchAll(/\{__name__=~"([^"]*)"([^}]*)\}/g)]
  return [
    ...named
      .filter(({ index }) => expr[index - 1] !== '"')
      .map(([, name, selector]) => ({ name: name!, labels: labelsIn(selector) })),
    ...byPattern.flatMap(([, pattern, selector]) => {
      const names = [...declarations.keys()].filter((name) => new RegExp(`^${pattern}$`).test(name))
      // A pattern without a match is a wrong name.
      return (names.length === 0 ? [pattern!] : names).map((name) => ({
        name,
        labels: labelsIn(selector),
      }))
    }),
  ]
}

function labelsIn(selector = ''): string[] {
  return [...selector.matchAll(/(\w+)\s*(?:=~|!~|!=|=)\s*"/g)].map(([, label]) => label!)
}

/** Each `by (…) (…)`. */
function aggregationsIn(expr: string): { readonly by: string[]; readonly of: string }[] {
  return [...expr.matchAll(/\bby \(([^)]*)\)\s*\(/g)].map((match) => {
    const start = match.index + match[0].length
    let depth = 1
    let end = start
    for (; depth > 0 && end < expr.length; end++) {
      if (expr[end] === '(') depth++
      else if (expr[end] === ')') depth--
    }
    return { by: match[1]!.split(/,\s*/), of: expr.slice(start, end) }
  })
}

function problemsOf(name: string, labels: readonly string[]): string[] {
  const [, histogram, suffix] = /^(.*)_(bucket|sum|count)$/.exec(name) ?? []
  const declared = declarations.get(name) ?? declarations.get(histogram ?? '')
  const isPart = declarations.get(name) === undefined
  if (declared === undefined) return [`there is no metric ${name}`]
  if (isPart !== (declared.kind === 'histogram')) {
    return [`${name} has no series: only a histogram has _bucket, _sum and _count`]
  }
  const known = [
    ...OF_PROMETHEUS,
    'client_id',
    ...declared.labels.filter((label) => label !== ON_REQUEST),
    ...(suffix === 'bucket' ? ['le'] : []),
  ]
  return labels
    .filter((label) => !known.includes(label))
    .map((label) => `${name} has no label ${label}`)
}
