/**
 * A service that produces and handles orders. It serves /metrics for Prometheus and /health for a readiness probe.
 * docs/monitoring/ has a Grafana dashboard and alert rules for these metrics.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { KafkaClient, withDeadLetters } from 'samsa'
import { METRICS_CONTENT_TYPE, metricsText } from 'samsa/prometheus'
import { openCluster } from './cluster.ts'

await using cluster = await openCluster({ orders: { partitions: 4 }, 'orders.dead': {} })
await using client = new KafkaClient({ hosts: cluster.hosts, clientId: 'shop' })

const server = createServer((request, response) => {
  if (request.url === '/metrics') {
    response.setHeader('content-type', METRICS_CONTENT_TYPE)
    response.end(metricsText(client))
  } else if (request.url === '/health') {
    const health = client.health()
    response.writeHead(health.ready ? 200 : 503, { 'content-type': 'application/json' })
    response.end(JSON.stringify(health))
  } else {
    response.writeHead(404).end()
  }
})
server.listen(Number(process.env['PORT'] ?? 9_464), '127.0.0.1')
await once(server, 'listening')
console.log(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}`)

const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())

const producer = await client.topic('orders').getProducer({ compression: 'gzip' })
const deadLetters = await client.topic('orders.dead').getProducer()
const consumer = await client.topic('orders').getBalancedConsumer({
  consumerGroup: 'billing',
  managed: true,
  autoOffsetReset: 'earliest',
  autoCommitIntervalMs: 1_000,
})

let sent = 0
let billed = 0
await Promise.all([sendOrders(), billOrders()])
server.close()
await client.close({ timeoutMs: 20_000 })
console.log(`sent ${sent} orders`)

async function sendOrders(): Promise<void> {
  while (!stop.signal.aborted) {
    await producer.produce(JSON.stringify({ id: sent, amount: sent % 50 }))
    sent++
    await delay(50)
  }
}

async function billOrders(): Promise<void> {
  const bill = withDeadLetters(
    async ({ value }) => {
      const { id, amount } = JSON.parse(String(value)) as { id: number; amount: number }
      if (amount === 0) throw new Error(`order ${id} has no amount`)
      await delay(5) // the work
      if (++billed === 1) console.log(`billed order ${id}`)
    },
    { producer: deadLetters, maxRetries: 0 },
  )
  await consumer.run(bill, { stopSignal: stop.signal })
}
