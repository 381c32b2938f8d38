import { beforeAll, describe, expect, it } from '@jest/globals'
import {
  alertRules,
  panelQueries,
  withAllSelected,
  type Query,
} from '../support/documents/monitoring.ts'
import { metricsIn } from '../support/documents/promql.ts'
import { PATIENCE_MS } from '../support/patience.ts'
import { disturb, withMonitoredService } from '../support/prometheus/monitored-service.ts'
import {
  requirePrometheus,
  type RunningPrometheus,
  type StoredSample,
} from '../support/prometheus/running-prometheus.ts'
import { until } from '../support/until.ts'

/** What the rates of the dashboard are computed over. */
const RATE_INTERVAL = '1m'

/** The series that a service serves, with their values. */
async function servedBy(url: string): Promise<Map<string, number>> {
  const text = await (await fetch(`${url}/metrics`)).text()
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(
    lines.map((line) => {
      const [, name = '', labels = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? []
      const pairs = [...labels.matchAll(/(\w+)="([^"]*)"/g)]
      const named = pairs.map(([, label, text]) => [label!, text!] as const)
      return [keyOf(name, named), Number(value)] as const
    }),
  )
}

/** The key of a stored series: without the labels that Prometheus adds. */
function keyOfStored({ metric }: StoredSample): string {
  const { __name__: name = '', ...labels } = metric
  const own = Object.entries(labels).filter(([label]) => label !== 'job' && label !== 'instance')
  return keyOf(name, own)
}

function keyOf(name: string, labels: readonly (readonly [string, string])[]): string {
  return `${name} ${JSON.stringify([...labels].sort(([a], [b]) => (a < b ? -1 : 1)))}`
}

/** The queries that have no value yet. */
async function withoutValue(
  prometheus: RunningPrometheus,
  queries: readonly Query[],
): Promise<Query[]> {
  const checked = queries.map(async (query) => {
    const samples = await prometheus.query(withAllSelected(query.expr, RATE_INTERVAL))
    return samples.some(({ value }) => Number.isFinite(value)) ? [] : [query]
  })
  return (await Promise.all(checked)).flat()
}

describe('a service with samsa/prometheus that a real Prometheus scrapes', () => {
  beforeAll(() => requirePrometheus())

  it('has a value for every query of the dashboard, and rules that Prometheus can evaluate', async () => {
    await withMonitoredService(async (monitored) => {
      const { prometheus } = monitored
      await disturb(monitored)
      const deadline = performance.now() + PATIENCE_MS
      let missing: readonly Query[] = panelQueries
      await until(async () => {
        missing = await withoutValue(prometheus, missing)
        return missing.length === 0 || performance.now() > deadline
      })
      expect(missing).toEqual([])

      for (const query of [
        'sum(rate(samsa_throttle_duration_seconds_sum[1m]))',
        'sum(samsa_retries_total{error="NOT_ENOUGH_REPLICAS"})',
        'sum(samsa_dead_letters_total{topic="orders"})',
        'sum(increase(samsa_consumer_rebalance_duration_seconds_count{group="billing"}[1m]))',
      ]) {
        await until(async () => (await prometheus.query(query)).some(({ value }) => value > 0))
      }

      const rules = () => prometheus.rules()
      await until(async () => (await rules()).every(({ health }) => health !== 'unknown'))
      expect((await rules()).map(({ name, health }) => `${name} ${health}`).sort()).toEqual(
        alertRules.map(({ alert }) => `${alert} ok`).sort(),
      )
    })
  })

  it('has each of its series stored, counters with the values that it served', async () => {
    await withMonitoredService(async (monitored) => {
      const { prometheus, service, url } = monitored
      await disturb(monitored)
      const before = await servedBy(url)
      const servedAt = Date.now() / 1_000
      // Prometheus may move the time of a scrape by two milliseconds.
      const newest = () => prometheus.query('min(timestamp(samsa_connections_open))')
      await until(async () => (await newest()).some(({ value }) => value > servedAt + 0.01))
      const stored = await prometheus.query('last_over_time({__name__=~"samsa_.+"}[1m])')
      const after = await servedBy(url)

      const values = new Map(stored.map((sample) => [keyOfStored(sample), sample.value]))
      expect(before.size).toBeGreaterThan(100)
      expect([...before.keys()].filter((key) => !values.has(key))).toEqual([])
      const counters = [...before].filter(([key]) => /^\w+_(?:total|bucket|count) /.test(key))
      expect(counters.length).toBeGreaterThan(100)
      const wrong = counters
        .map(([key, value]) => ({ key, between: [value, values.get(key)!, after.get(key)!] }))
        .filter(({ between: [low, value, high] }) => !(value! >= low! && value! <= high!))
      expect(wrong).toEqual([])

      const names = new Set(stored.map(({ metric }) => metric['__name__']))
      const shown = panelQueries.flatMap(({ expr }) => metricsIn(expr).map(({ name }) => name))
      expect(shown.filter((name) => !names.has(name))).toEqual([])

      service.kill('SIGTERM')
      const { exitCode } = await service.ended
      expect({ exitCode, stderr: service.stderr }).toEqual({ exitCode: 0, stderr: '' })
    })
  })
})
