import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const SPARSE = fileURLToPath(new URL('../../../dist/src/storm/cli/main.js', import.meta.url))
const PROJECT = fileURLToPath(new URL('../../storm', import.meta.url))
/** Storm's settings, by mode. */
const SETTINGS = {
  acked: {
    ...{ 'bench.acked': true, 'bench.per.next': 20 },
    ...{ 'topology.acker.executors': 1, 'topology.max.spout.pending': 1_000 },
  },
  'not acked': {
    ...{ 'bench.acked': false, 'bench.per.next': 100 },
    ...{ 'topology.acker.executors': 0, 'topology.max.spout.pending': null },
  },
}
/** A component's line, by `sparse run`: see benchmarks/storm/meter.py. */
const READING = /(words|count): METER (\d+) (\d+) ([\d.]+) ([\d.]+) (\d+)/
/** What may be among the last lines before Storm ends. */
const LAST_LINES = 20

/** The same topology in each mode, which differ in Storm's settings. */
export function stormWays(text, open) {
  return Object.fromEntries(Object.keys(SETTINGS).map((mode) => [mode, [text, open]]))
}

/**
 * A way is `() => ({ topology, env, conf })`: a file of benchmarks/storm/topologies, variables and settings for it. `sparse run` runs it
 * in a Storm in one JVM. Its components log what they have done: the difference of two such lines after the warm-up is
 * what is measured.
 */
export async function stormTask(open, task) {
  const { topology, env, conf } = open()
  const settings = Object.entries({ ...SETTINGS[task.mode], ...conf }).flatMap(([key, value]) => [
    ...['-o', `${key}=${JSON.stringify(value)}`],
  ])
  const child = spawn(process.execPath, [SPARSE, 'run', '-n', topology, ...settings], {
    cwd: PROJECT,
    env: { ...process.env, ...env, STORM_HOME: task.stormHome },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = once(child, 'close')
  const last = []
  const readings = { words: [], count: [] }
  let enough
  const isEnough = new Promise((resolve) => (enough = resolve))
  const take = (line) => {
    const match = READING.exec(line)
    if (match === null) {
      last.push(line)
      if (last.length > LAST_LINES) last.shift()
      return
    }
    const [at, count, userMs, systemMs, memoryBytes] = match.slice(2).map(Number)
    readings[match[1]].push({ at, count, userMs, systemMs, memoryBytes })
    if (Object.values(readings).every((of) => windowOf(of, task) !== undefined)) enough()
  }
  for (const output of [child.stdout, child.stderr]) {
    createInterface({ input: output }).on('line', take)
  }
  const end = await Promise.race([isEnough, ended.then(([code]) => ({ code }))])
  if (end !== undefined) throw new Error(`sparse run ended with ${end.code}: ${last.join(' | ')}`)
  child.kill('SIGINT')
  await ended
  return measurementOf(readings, task)
}

/** The first reading after the warm-up, and the first that is long enough after that. */
function windowOf(readings, { warmUpMs, limitMs }) {
  const first = readings.find(({ at }) => at >= readings[0].at + warmUpMs)
  const last = first && readings.find(({ at }) => at >= first.at + limitMs)
  return last && { first, last, elapsedMs: last.at - first.at }
}

/** Where tuples are acked, those count for which the spout knows it; else those that the bolt has processed. */
function measurementOf(readings, task) {
  const windows = [windowOf(readings.words, task), windowOf(readings.count, task)]
  const { first, last, elapsedMs } = windows[task.mode === 'acked' ? 0 : 1]
  // The two are not read at the same time, nor for equally long.
  const used = (key) =>
    windows.reduce((sum, one) => sum + (one.last[key] - one.first[key]) / one.elapsedMs, 0) *
    elapsedMs
  return {
    messages: last.count - first.count,
    elapsedMs,
    userMs: used('userMs'),
    systemMs: used('systemMs'),
    memoryBytes: windows.reduce((sum, one) => sum + one.last.memoryBytes, 0),
  }
}
