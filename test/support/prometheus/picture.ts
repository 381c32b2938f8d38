/** Draws docs/monitoring/samsa-dashboard.svg: the dashboard with what Prometheus has stored of the example service. */
import { writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { FAINT, line, OTHERS, OWN, polyline, svg, text } from '../../../benchmarks/report/svg.ts'
import { KafkaClient } from '../../../src/index.ts'
import { panels, withAllSelected, type Panel } from '../documents/monitoring.ts'
import { disturb, withMonitoredService, type MonitoredService } from './monitored-service.ts'
import { requirePrometheus, type RunningPrometheus } from './running-prometheus.ts'

const PICTURE = 'docs/monitoring/samsa-dashboard.svg'
const BEFORE_MS = 20_000
const AFTER_MS = 40_000
const BACKLOG = 2_000

/** Of a unit of Grafana's grid. */
const UNIT_WIDTH = 54
const UNIT_HEIGHT = 19
const MARGIN = 10
const TITLE = 24
const COLOURS = [OWN, ...OTHERS]

interface Span {
  readonly startMs: number
  readonly endMs: number
}

async function drawn(panel: Panel, prometheus: RunningPrometheus, span: Span): Promise<string[]> {
  const { title, gridPos, targets = [] } = panel
  const left = gridPos.x * UNIT_WIDTH + MARGIN
  const right = (gridPos.x + gridPos.w) * UNIT_WIDTH - MARGIN
  const top = gridPos.y * UNIT_HEIGHT + MARGIN
  const bottom = (gridPos.y + gridPos.h) * UNIT_HEIGHT - MARGIN
  if (targets.length === 0) return [text(left, top, title, { weight: 'bold' })]
  const histories = await Promise.all(
    targets.map(({ expr }) =>
      prometheus.history(withAllSelected(expr, '15s'), span.startMs, span.endMs),
    ),
  )
  const curves = histories.flat().map(({ points }) => points.filter(({ y }) => Number.isFinite(y)))
  const highest = Math.max(0, ...curves.flat().map(({ y }) => y))
  const across = (x: number) =>
    left + ((x - span.startMs) / (span.endMs - span.startMs)) * (right - left)
  const up = (y: number) => bottom - (y / (highest || 1)) * (bottom - top - TITLE)
  return [
    text(left, top + 4, title),
    text(right, top + 4, labelOf(highest), { anchor: 'end' }),
    line(left, up(highest || 1), right, up(highest || 1), FAINT),
    line(left, bottom, right, bottom, FAINT),
    ...curves.map((points, index) =>
      polyline(
        points.map(({ x, y }) => [across(x), up(y)] as const),
        COLOURS[index % COLOURS.length]!,
      ),
    ),
  ]
}

function labelOf(value: number): string {
  return value.toLocaleString('en', { maximumSignificantDigits: 2 })
}

/** Orders that the service has to catch up with. */
async function addBacklog({ kafka }: MonitoredService): Promise<void> {
  await using client = new KafkaClient({ hosts: kafka.hosts, clientId: 'backlog' })
  await using producer = await client.topic('orders').getProducer()
  const orders = Array.from({ length: BACKLOG }, (_, id) => JSON.stringify({ id, amount: 1 }))
  await producer.produceMany(orders)
}

async function main(): Promise<void> {
  await requirePrometheus()
  await withMonitoredService(async (monitored) => {
    const startMs = Date.now()
    await delay(BEFORE_MS)
    await disturb(monitored)
    await addBacklog(monitored)
    await delay(AFTER_MS)
    const span = { startMs, endMs: Date.now() }
    const parts = await Promise.all(panels.map((panel) => drawn(panel, monitored.prometheus, span)))
    const rows = Math.max(...panels.map(({ gridPos: { y, h } }) => y + h))
    const title = 'The dashboard with the values of examples/monitoring.ts'
    const [width, height] = [24 * UNIT_WIDTH, rows * UNIT_HEIGHT]
    writeFileSync(PICTURE, svg(width, height, title, parts.flat()))
  })
}

void main()
