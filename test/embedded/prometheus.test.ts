import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { Registry, type OpenMetricsContentType } from 'prom-client'
import { EmbeddedCluster } from '../../src/embedded/index.ts'
import { KafkaClient } from '../../src/index.ts'
import { collect, METRICS_CONTENT_TYPE, metricsText } from '../../src/prometheus/index.ts'
import { QUICK } from '../support/fake-cluster.ts'

let kafka: EmbeddedCluster
const clients: KafkaClient[] = []
beforeEach(async () => {
  kafka = await EmbeddedCluster.start({ topics: { orders: { partitions: 3 } } })
})
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()))
  await kafka.stop()
})

async function busy(clientId: string): Promise<KafkaClient> {
  const client = new KafkaClient({ ...QUICK, clientId, hosts: kafka.hosts })
  clients.push(client)
  await using producer = await client.topic('orders').getProducer()
  await producer.produceMany(['a', 'b', 'c'])
  const reading = { autoOffsetReset: 'earliest' } as const
  const consumer = await client.topic('orders').getSimpleConsumer(reading)
  await consumer.consume()
  return client
}

/** The lines of a text, by the name with its labels. */
function linesOf(text: string): Map<string, number> {
  return new Map(
    text.split('\n').flatMap((line): [string, number][] => {
      const at = line.lastIndexOf(' ')
      return line === '' || line.startsWith('#')
        ? []
        : [[line.slice(0, at), Number(line.slice(at + 1))]]
    }),
  )
}

const messages = (clientId: string) =>
  `samsa_producer_messages_total{client_id="${clientId}",topic="orders"}`

describe('samsa/prometheus', () => {
  it('writes the text format without prom-client', async () => {
    const client = await busy('plain')
    const text = metricsText(client)
    expect(METRICS_CONTENT_TYPE).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect(text).toContain('# TYPE samsa_producer_messages_total counter\n')
    expect(text).toMatch(/^# HELP samsa_request_duration_seconds \w/m)
    const lines = linesOf(text)
    expect(lines.get(messages('plain'))).toBe(3)
    const duration = 'samsa_producer_delivery_duration_seconds'
    const bounds = [...lines].filter(([name]) => name.startsWith(`${duration}_bucket`))
    expect(bounds.map(([, count]) => count)).toEqual(
      bounds.map(([, count]) => count).sort((a, b) => a - b),
    )
    expect(bounds.at(-1)?.[0]).toBe(`${duration}_bucket{client_id="plain",le="+Inf"}`)
    expect(bounds.at(-1)?.[1]).toBe(lines.get(`${duration}_count{client_id="plain"}`))
  })

  it('escapes special characters in labels', () => {
    const client = new KafkaClient({ clientId: 'a "quoted" \\ name\nwith lines', ...QUICK })
    clients.push(client)
    const text = metricsText({
      metrics: () => ({
        ...client.metrics(),
        metrics: [
          {
            name: 'samsa_retries_total',
            kind: 'counter',
            unit: 'events',
            description: 'one\ntwo',
            samples: [{ labels: { client_id: 'a "b" \\ c\nd' }, value: 1 }],
          },
        ],
      }),
    })
    expect(text).toBe(
      '# HELP samsa_retries_total one\\ntwo\n# TYPE samsa_retries_total counter\n' +
        'samsa_retries_total{client_id="a \\"b\\" \\\\ c\\nd"} 1\n',
    )
  })

  it('gives a registry of prom-client the same metrics, in both of its formats', async () => {
    const pair = [await busy('one'), await busy('two')]
    const registry = new Registry()
    registry.setDefaultLabels({ service: 'shop' })
    const stop = collect(registry, pair)
    const lines = linesOf(await registry.metrics())
    const plain = linesOf(metricsText(pair))
    expect(lines.size).toBe(plain.size)
    for (const name of plain.keys()) {
      const labelled = name.replace('}', ',service="shop"}')
      expect({ name: labelled, isThere: lines.has(labelled) }).toEqual({
        name: labelled,
        isThere: true,
      })
    }
    expect(lines.get(messages('two').replace('}', ',service="shop"}'))).toBe(3)

    const open = new Registry<OpenMetricsContentType>()
    open.setContentType(Registry.OPENMETRICS_CONTENT_TYPE)
    collect(open, pair)
    const text = await open.metrics()
    expect(text).toContain('# TYPE samsa_producer_messages counter\n')
    expect(linesOf(text).get(messages('one'))).toBe(3)
    expect(linesOf(await open.metrics()).get(messages('one'))).toBe(3)
    stop()
    expect((await registry.metrics()).trim()).toBe('')
  })

  it('reads the metrics once for each scrape, and omits partitions unless they are requested', async () => {
    const client = await busy('counted')
    let reads = 0
    const counted = {
      metrics: (options: object) => {
        reads++
        return client.metrics(options)
      },
    }
    const registry = new Registry()
    collect(registry, counted)
    expect(await registry.metrics()).not.toContain('partition="')
    expect(reads).toBe(1)
    const detailed = new Registry()
    collect(detailed, counted, { partitions: true })
    expect(await detailed.metrics()).toContain('partition="2"')
    expect(reads).toBe(2)
  })
})
