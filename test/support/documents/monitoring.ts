/** The queries in docs/monitoring/: those of the dashboard, and the alert rules. */
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'

export const DASHBOARD = 'docs/monitoring/samsa-dashboard.json'
export const ALERTS = 'docs/monitoring/samsa-alerts.yaml'

export interface Panel {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly description?: string
  readonly gridPos: {
    readonly x: number
    readonly y: number
    readonly w: number
    readonly h: number
  }
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[]
}

export interface Variable {
  readonly name: string
  readonly type: string
  readonly definition?: string
}

export interface AlertRule {
  readonly alert: string
  readonly expr: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

/** A query in PromQL, and the text in which the labels of its result are shown. */
export interface Query {
  readonly name: string
  readonly expr: string
  readonly shown: string
}

const dashboard = JSON.parse(readFileSync(DASHBOARD, 'utf8')) as {
  readonly panels: readonly Panel[]
  readonly templating: { readonly list: readonly Variable[] }
}
const alerts = parse(readFileSync(ALERTS, 'utf8')) as {
  readonly groups: readonly { readonly rules: readonly AlertRule[] }[]
}

export const panels = dashboard.panels
export const variables = dashboard.templating.list
export const alertRules = alerts.groups.flatMap(({ rules }) => rules)

export const panelQueries: readonly Query[] = panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr, legendFormat }) => ({
    name: `${title}: ${legendFormat}`,
    expr,
    shown: legendFormat,
  })),
)

export const alertQueries: readonly Query[] = alertRules.map(({ alert, expr, annotations }) => ({
  name: alert,
  expr,
  shown: Object.values(annotations).join('\n'),
}))

/** The expression that Prometheus gets when all values of all variables are selected. */
export function withAllSelected(expr: string, rateInterval: string): string {
  return expr
    .replaceAll('$__rate_interval', rateInterval)
    .replaceAll(/"\$(\w+)"/g, (text, name) =>
      variables.some((variable) => variable.name === name) ? '".*"' : text,
    )
}
