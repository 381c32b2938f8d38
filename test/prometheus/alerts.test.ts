import { beforeAll, describe, expect, it } from '@jest/globals'
import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { stringify } from 'yaml'
import { ALERTS, alertRules } from '../support/documents/monitoring.ts'
import { requirePrometheus } from '../support/prometheus/running-prometheus.ts'
import { runCommand } from '../support/run-command.ts'
import { TemporaryFolder } from '../support/temporary-folder.ts'

/** Values of half an hour, one a minute, in promtool's notation. */
type Series = Readonly<Record<string, string>>

const GROUP = 'job="shop",instance="a:1",client_id="shop",group="billing"'
const CLIENT = 'job="shop",instance="a:1",client_id="shop"'

const lag = (messages: string): Series => ({
  [`samsa_consumer_lag_messages{${GROUP},topic="orders"}`]: messages,
})
const consumed = (messages: string): Series => ({
  [`samsa_consumer_messages_total{${GROUP},topic="orders"}`]: messages,
})
const requests = (api: string, quick: string, all: string): Series => {
  const labels = `${CLIENT},broker="b:9092",api="${api}"`
  return {
    [`samsa_request_duration_seconds_bucket{${labels},le="0.1"}`]: quick,
    [`samsa_request_duration_seconds_bucket{${labels},le="5"}`]: all,
    [`samsa_request_duration_seconds_bucket{${labels},le="+Inf"}`]: all,
    [`samsa_request_duration_seconds_count{${labels}}`]: all,
  }
}
const failures = (count: string): Series => ({
  [`samsa_request_failures_total{${CLIENT},broker="b:9092",api="Produce"}`]: count,
})
const queue = (bytes: string): Series => ({
  [`samsa_producer_queued_bytes{${CLIENT}}`]: bytes,
  [`samsa_producer_queue_limit_bytes{${CLIENT}}`]: '1000+0x30',
})
const connections = (open: string, failed: string): Series => ({
  [`samsa_connections_open{${CLIENT},broker="b:9092"}`]: open,
  [`samsa_connection_failures_total{${CLIENT},broker="b:9092"}`]: failed,
})

/** What makes each alert fire, without another one. */
const FIRING: readonly (readonly [alert: string, series: Series])[] = [
  [
    'SamsaConsumerLagSeconds',
    { [`samsa_consumer_lag_seconds{${GROUP},topic="orders"}`]: '400+0x30' },
  ],
  ['SamsaConsumerLagMessages', { ...lag('200000+0x30'), ...consumed('0+10x30') }],
  ['SamsaConsumerStuck', { ...lag('7+0x30'), ...consumed('100+0x30') }],
  ['SamsaHandlerFailures', { [`samsa_consumer_handler_failures_total{${GROUP}}`]: '0+0x27 1+0x3' }],
  // A series that begins with its first failure.
  ['SamsaHandlerFailures', { [`samsa_consumer_handler_failures_total{${GROUP}}`]: '_x28 1+0x2' }],
  ['SamsaDeadLetters', { [`samsa_dead_letters_total{${CLIENT},topic="orders"}`]: '0+0x27 1+0x3' }],
  ['SamsaDeadLetters', { [`samsa_dead_letters_total{${CLIENT},topic="orders"}`]: '_x28 1+0x2' }],
  [
    'SamsaRebalancesOften',
    { [`samsa_consumer_rebalance_duration_seconds_count{${GROUP}}`]: '0+1x30' },
  ],
  ['SamsaPartitionsLost', { [`samsa_consumer_lost_partitions_total{${GROUP}}`]: '0+0x27 2+0x3' }],
  ['SamsaCommitFailures', { [`samsa_consumer_commit_failures_total{${GROUP}}`]: '0+1x30' }],
  [
    'SamsaMessagesNotDelivered',
    { [`samsa_producer_failed_messages_total{${CLIENT},topic="orders"}`]: '0+0x27 1+0x3' },
  ],
  [
    'SamsaMessagesNotDelivered',
    { [`samsa_producer_failed_messages_total{${CLIENT},topic="orders"}`]: '_x28 1+0x2' },
  ],
  [
    'SamsaUnsentMessagesOld',
    { [`samsa_producer_oldest_message_age_seconds{${CLIENT}}`]: '0+0x25 40+0x5' },
  ],
  ['SamsaProducerQueueFull', queue('950+0x30')],
  [
    'SamsaRequestErrors',
    { ...requests('Produce', '0+100x30', '0+100x30'), ...failures('0+10x30') },
  ],
  ['SamsaRetries', { [`samsa_retries_total{${CLIENT},error="NOT_ENOUGH_REPLICAS"}`]: '0+120x30' }],
  ['SamsaDisconnected', connections('0+0x30', '0+1x30')],
  ['SamsaRequestsSlow', requests('Produce', '0+50x30', '0+100x30')],
  [
    'SamsaThrottled',
    { [`samsa_throttle_duration_seconds_sum{${CLIENT},api="Produce",broker="b:9092"}`]: '0+30x30' },
  ],
]

/** A client that works. */
const HEALTHY: Series = {
  [`samsa_consumer_lag_seconds{${GROUP},topic="orders"}`]: '2+0x30',
  ...lag('20+0x30'),
  ...consumed('0+100x30'),
  [`samsa_consumer_handler_failures_total{${GROUP}}`]: '3+0x30',
  [`samsa_dead_letters_total{${CLIENT},topic="orders"}`]: '3+0x30',
  [`samsa_consumer_rebalance_duration_seconds_count{${GROUP}}`]: '1+0x20 2+0x10',
  [`samsa_consumer_lost_partitions_total{${GROUP}}`]: '0+0x30',
  [`samsa_consumer_commit_failures_total{${GROUP}}`]: '0+0x28 1+0x2',
  [`samsa_producer_failed_messages_total{${CLIENT},topic="orders"}`]: '1+0x30',
  [`samsa_producer_oldest_message_age_seconds{${CLIENT}}`]: '0.01+0x30',
  ...queue('100+0x30'),
  ...requests('Produce', '0+100x30', '0+100x30'),
  ...failures('0+0x28 1+0x2'),
  [`samsa_retries_total{${CLIENT},error="NOT_ENOUGH_REPLICAS"}`]: '0+0x28 1+0x2',
  ...connections('2+0x30', '1+0x30'),
  [`samsa_throttle_duration_seconds_sum{${CLIENT},api="Produce",broker="b:9092"}`]: '0+1x30',
}

/** What promtool finds wrong when these alerts are expected to fire, and no others. */
async function problemWith(series: Series, alerts: readonly string[]): Promise<string> {
  using folder = new TemporaryFolder()
  const file = join(folder.path, 'test.yaml')
  const test = {
    interval: '1m',
    input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
    promql_expr_test: [
      {
        expr: 'count by (alertname) (ALERTS{alertstate="firing"})',
        eval_time: '30m',
        exp_samples: alerts.map((alert) => ({ labels: `{alertname="${alert}"}`, value: 1 })),
      },
    ],
  }
  writeFileSync(
    file,
    stringify({ rule_files: [resolve(ALERTS)], evaluation_interval: '1m', tests: [test] }),
  )
  const { exitCode, stdout, stderr } = await runCommand('promtool', ['test', 'rules', file])
  return exitCode === 0 ? '' : `${stdout.toString()}${stderr}`
}

describe('the alert rules, in promtool', () => {
  beforeAll(() => requirePrometheus())

  it('are valid', async () => {
    const { exitCode, stdout, stderr } = await runCommand('promtool', ['check', 'rules', ALERTS])
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    expect(stdout.toString()).toContain(`SUCCESS: ${alertRules.length} rules found`)
  })

  it.each(FIRING)('fire %s, and no other alert, for %j', async (alert, series) => {
    expect(await problemWith(series, [alert])).toBe('')
  })

  it('fire no alert for a client that works', async () => {
    expect(await problemWith(HEALTHY, [])).toBe('')
    expect(await problemWith(HEALTHY, ['SamsaRetries'])).toContain('FAILED')
  })

  it('fire no SamsaRequestsSlow for fetches that wait for messages', async () => {
    expect(await problemWith(requests('Fetch', '0+1x30', '0+100x30'), [])).toBe('')
  })

  it('are all tested', () => {
    const tested = new Set(FIRING.map(([alert]) => alert))
    expect([...tested].sort()).toEqual(alertRules.map(({ alert }) => alert).sort())
  })
})
