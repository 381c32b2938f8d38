/** Wall-clock, CPU (of all threads of this process, native ones too) and peak memory. */
import { existsSync, readFileSync } from 'node:fs'

export class Meter {
  #startedAt = 0
  #cpu

  start() {
    this.#cpu = process.cpuUsage()
    this.#startedAt = performance.now()
  }

  get isStarted() {
    return this.#cpu !== undefined
  }

  /** Since `start`: to be called as soon as the work is done. */
  stop() {
    const elapsedMs = performance.now() - this.#startedAt
    const { user, system } = process.cpuUsage(this.#cpu)
    return { elapsedMs, userMs: user / 1000, systemMs: system / 1000 }
  }
}

/** The most that was resident since the process started. */
export function peakMemoryBytes() {
  // Not `maxRSS` where this is there: that begins with what the parent had when it forked.
  if (existsSync('/proc/self/status')) {
    const line = /VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))
    if (line !== null) return Number(line[1]) * 1024
  }
  return process.resourceUsage().maxRSS * 1024
}

/** p50, p99, p99.9 and the longest, of a Float64Array of milliseconds; it gets sorted. */
export function percentiles(latencies) {
  latencies.sort()
  const at = (share) =>
    latencies[Math.min(latencies.length - 1, Math.floor(share * latencies.length))]
  return { count: latencies.length, p50: at(0.5), p99: at(0.99), p999: at(0.999), max: at(1) }
}
