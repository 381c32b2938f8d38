import { EmbeddedCluster } from '../../../src/embedded/index.ts'
import { KafkaClient } from '../../../src/index.ts'
import { RunningCommand } from '../running-command.ts'
import { until } from '../until.ts'
import { RunningPrometheus } from './running-prometheus.ts'

const PARTITIONS = 4

/** examples/monitoring.ts on an embedded cluster, and a Prometheus that scrapes it. */
export interface MonitoredService {
  readonly kafka: EmbeddedCluster
  readonly service: RunningCommand
  /** Such as `http://127.0.0.1:40123`. */
  readonly url: string
  readonly prometheus: RunningPrometheus
}

/** Calls `use` once Prometheus has scraped the service, and stops everything after it. */
export async function withMonitoredService(
  use: (monitored: MonitoredService) => Promise<void>,
): Promise<void> {
  await using kafka = await EmbeddedCluster.start({
    topics: { orders: { partitions: PARTITIONS }, 'orders.dead': {} },
  })
  await using service = new RunningCommand(
    process.execPath,
    ['--no-warnings', '--import', 'tsx', 'examples/monitoring.ts'],
    { KAFKA_HOSTS: kafka.hosts, PORT: '0' },
  )
  const [, url = ''] = await service.printed(/listening on (http:\S+)/)
  await using prometheus = await RunningPrometheus.start(new URL(url).host)
  await service.printed(/billed order/)
  await until(async () => (await prometheus.query('samsa_connections_open')).length > 0)
  await use({ kafka, service, url, prometheus })
}

/** What happens to clients in operation: a quota, errors that are retried, and another member that joins and leaves. */
export async function disturb({ kafka, url }: MonitoredService): Promise<void> {
  kafka.throttle({ api: 'Produce', ms: 50 })
  kafka.faults.on({ api: 'Produce', times: 2 }, { error: 'NOT_ENOUGH_REPLICAS' })
  await using client = new KafkaClient({ hosts: kafka.hosts, clientId: 'other' })
  const other = await client.topic('orders').getBalancedConsumer({
    consumerGroup: 'billing',
    managed: true,
  })
  await until(() => other.assignment.length > 0)
  await other.close()
  const expected = [
    new RegExp(`^samsa_consumer_assigned_partitions\\{.*\\} ${PARTITIONS}$`, 'm'),
    /^samsa_retries_total\{.*"NOT_ENOUGH_REPLICAS"\} [1-9]/m,
    /^samsa_dead_letters_total\{.*\} [1-9]/m,
  ]
  await until(async () => {
    const text = await (await fetch(`${url}/metrics`)).text()
    return expected.every((pattern) => pattern.test(text))
  })
}
