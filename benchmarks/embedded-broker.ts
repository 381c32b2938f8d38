/** The other process of benchmarks/embedded.ts: an embedded cluster, and what it costs. */
import { EmbeddedCluster, type EmbeddedClusterOptions } from '../src/embedded/index.ts'

export interface BrokerCost {
  /** Of all that the process has done so far. */
  readonly cpuMs: number
  readonly rssBytes: number
  readonly heapBytes: number
}

const options = JSON.parse(process.argv[2] ?? '{}') as EmbeddedClusterOptions
let collectingMs = 0
const kafka = await EmbeddedCluster.start({ ...options, onError: console.error })

process.on('message', () => {
  // Before the garbage is collected for what comes next: that is no work of the broker's.
  const { user, system } = process.cpuUsage()
  globalThis.gc?.()
  const { rss, heapUsed, external } = process.memoryUsage()
  const cost: BrokerCost = {
    cpuMs: (user + system) / 1000 - collectingMs,
    rssBytes: rss,
    heapBytes: heapUsed + external,
  }
  const now = process.cpuUsage()
  collectingMs += (now.user + now.system - user - system) / 1000
  process.send?.(cost)
})
process.on('disconnect', () => void kafka.stop())
process.send?.(kafka.hosts)
