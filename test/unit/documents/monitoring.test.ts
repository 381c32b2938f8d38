import { describe, expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import {
  alertQueries,
  alertRules,
  panelQueries,
  panels,
  variables,
} from '../../support/documents/monitoring.ts'
import { problemsIn } from '../../support/documents/promql.ts'

const variableQueries = variables.flatMap(({ definition }) => definition ?? [])

describe('the dashboard and the alert rules in docs/monitoring', () => {
  it.each([...panelQueries, ...alertQueries])(
    '$name uses only metrics and labels that samsa/prometheus exports',
    ({ expr, shown }) => {
      expect(problemsIn(expr, shown)).toEqual([])
    },
  )

  it.each(variableQueries)('%s uses only metrics and labels that exist', (definition) => {
    const [, selector, label] = /^label_values\((.*), (\w+)\)$/.exec(definition) ?? []
    expect(problemsIn(`max by (${label}) (${selector})`)).toEqual([])
  })

  it('are found', () => {
    expect(panelQueries.length).toBeGreaterThan(25)
    expect(alertQueries.length).toBeGreaterThan(10)
    expect(variableQueries.length).toBe(4)
  })

  it('select by variables that the dashboard has', () => {
    const known = [...variables.map(({ name }) => name), '__rate_interval']
    const used = [...panelQueries.map(({ expr }) => expr), ...variableQueries].flatMap((expr) =>
      [...expr.matchAll(/\$(\w+)/g)].map(([, name]) => name!),
    )
    expect(used.filter((name) => !known.includes(name))).toEqual([])
    expect(known.filter((name) => name !== 'datasource' && !used.includes(name))).toEqual([])
  })

  it('have panels with a description each, which do not overlap', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from(
        { length: w * h },
        (_, index) => `${x + (index % w)},${y + Math.floor(index / w)}`,
      ),
    )
    expect(new Set(cells).size).toBe(cells.length)
    const charts = panels.filter(({ type }) => type !== 'row')
    expect(charts.filter(({ description = '' }) => description === '')).toEqual([])
  })

  it('have alerts with a severity, a summary and a description, which docs/observability.md lists', () => {
    const guide = readFileSync('docs/observability.md', 'utf8')
    for (const { alert, labels, annotations } of alertRules) {
      expect([alert, labels['severity']]).toEqual([
        alert,
        expect.stringMatching(/warning|critical/),
      ])
      expect(Object.keys(annotations)).toEqual(['summary', 'description'])
      expect(guide).toContain(`\`${alert}\``)
    }
  })
})

describe('the check of queries', () => {
  it.each([
    ['sum(samsa_no_such_total)', '', 'there is no metric samsa_no_such_total'],
    ['label_values({__name__=~"samsa_no_(a|b)"}, job)', '', 'there is no metric samsa_no_(a|b)'],
    ['samsa_connections_open{topic="a"}', '', 'samsa_connections_open has no label topic'],
    [
      'samsa_consumer_lag_seconds{partition="1"}',
      '',
      'samsa_consumer_lag_seconds has no label partition',
    ],
    [
      'sum by (job, api) (rate(samsa_retries_total[5m]))',
      '',
      'samsa_retries_total has no label api',
    ],
    [
      'sum by (broker) (samsa_connections_open)',
      '{{ $labels.job }}',
      'the result has no label job',
    ],
    ['sum by (broker) (samsa_connections_open)', '{{job}}', 'the result has no label job'],
    [
      'max by (le) (samsa_request_size_bytes_sum)',
      '',
      'samsa_request_size_bytes_sum has no label le',
    ],
  ])('finds what is wrong in %s %s', (expr, shown, problem) => {
    expect(problemsIn(expr, shown)).toEqual([problem])
  })

  it('knows that a histogram consists of series with a suffix, and that only a histogram does', () => {
    for (const name of ['samsa_request_duration_seconds', 'samsa_connections_open_count']) {
      expect(problemsIn(name)).toEqual([expect.stringContaining(`${name} has no series`)])
    }
    expect(problemsIn('sum by (api, le) (samsa_request_duration_seconds_bucket)')).toEqual([])
  })
})
