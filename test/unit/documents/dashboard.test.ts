import { describe, expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { grafanaSchema } from '../../support/documents/grafana-schema.ts'
import { DASHBOARD } from '../../support/documents/monitoring.ts'

interface DashboardPanel {
  readonly type: string
  readonly datasource?: unknown
  readonly options?: object
  readonly fieldConfig: { readonly defaults: { readonly custom: object } }
  readonly targets: readonly { readonly refId: string; readonly datasource: unknown }[]
}

interface Dashboard {
  readonly panels: readonly DashboardPanel[]
  readonly templating: { readonly list: readonly Readonly<Record<string, unknown>>[] }
}

const dashboard = JSON.parse(readFileSync(DASHBOARD, 'utf8')) as Dashboard
const charts = dashboard.panels.filter(({ type }) => type !== 'row')
const schema = grafanaSchema()

describe("the dashboard, compared with Grafana's schema", () => {
  it('has the properties, types and values of a dashboard with rows, variables and time series', () => {
    expect(charts.length).toBeGreaterThan(20)
    const found = [
      ...schema('dashboard', { ...dashboard, panels: [] }),
      ...dashboard.panels.flatMap((panel) =>
        panel.type === 'row'
          ? schema('row', panel)
          : [
              // The schema of a panel leaves what depends on its type and its data source open.
              ...schema('panel', { ...panel, targets: [] }),
              ...schema('options', panel.options),
              ...schema('custom', panel.fieldConfig.defaults.custom),
              ...panel.targets.flatMap((target) => schema('target', target)),
            ],
      ),
      ...dashboard.templating.list.flatMap((variable) => schema('variable', variable)),
    ]
    expect(found).toEqual([])
  })

  it('reads from the data source that its variable selects, in every panel, query and variable', () => {
    const selected = { type: 'prometheus', uid: '${datasource}' }
    expect(charts.filter(({ type }) => type !== 'timeseries')).toEqual([])
    for (const { datasource, targets } of charts) {
      expect([datasource, ...targets.map((one) => one.datasource)]).toEqual(
        [undefined, ...targets].map(() => selected),
      )
      expect(new Set(targets.map(({ refId }) => refId)).size).toBe(targets.length)
    }
    const [first, ...others] = dashboard.templating.list
    expect(first).toMatchObject({ name: 'datasource', type: 'datasource', query: 'prometheus' })
    for (const { datasource } of others) expect(datasource).toEqual(selected)
  })

  it('would be refused with an unknown property, a wrong type, a wrong value or a missing property', () => {
    const [panel] = charts
    expect(schema('panel', { ...panel, targets: [], colour: 'red' })).toEqual([
      'panel.colour: no such property',
    ])
    expect(
      schema('panel', { ...panel, targets: [], gridPos: { x: 0, y: 0, w: '8', h: 8 } }),
    ).toEqual(['panel.gridPos.w: number expected'])
    expect(
      schema('options', { ...panel?.options, tooltip: { mode: 'most', sort: 'desc' } }),
    ).toEqual(['options.tooltip.mode: single expected'])
    expect(schema('options', { ...panel?.options, legend: undefined })).not.toEqual([])
  })
})
