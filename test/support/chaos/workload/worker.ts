/** A client in a process of its own. Argument: `WorkerPlan` as JSON. SIGTERM ends it in order, SIGUSR2 blocks it. */
import { LineWriter } from './lines.ts'
import { BLOCK_MS, type WorkerPlan } from './plan.ts'
import { produce } from './producer.ts'
import { read } from './reader.ts'
import { traceEvents } from './trace.ts'

const FIGURES_EVERY_MS = 2_000

const plan = JSON.parse(process.argv[2] ?? '') as WorkerPlan
const lines = new LineWriter(plan.log)
const stop = new AbortController()
// Node reads the bundle's source map for the first stack that anything looks at: 17 MB of heap, which must not come later.
lines.write({ what: 'note', text: new Error('at the start').stack ?? '' })
if (process.env['SAMSA_CHAOS_LOGS'] !== undefined) traceEvents(lines)
process.once('SIGTERM', () => stop.abort())
process.on('SIGUSR2', () => {
  lines.write({ what: 'blocked' })
  const end = performance.now() + BLOCK_MS
  while (performance.now() < end);
  lines.write({ what: 'unblocked' })
})
const figures = setInterval(() => {
  if (plan.isCompared) return
  global.gc?.()
  const handles = process.getActiveResourcesInfo().length
  lines.write({ what: 'figures', heapBytes: process.memoryUsage().heapUsed, handles })
}, FIGURES_EVERY_MS)

try {
  if (plan.role === 'producer') await produce(plan, lines, stop.signal)
  else await read(plan, lines, stop.signal)
  lines.write({ what: 'closed' })
} catch (error) {
  lines.write({ what: 'error', message: String(error) })
  process.exitCode = 1
}
clearInterval(figures)
