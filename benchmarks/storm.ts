/**
 * `npm run bench:storm`: the same two components by samsa/storm and by pystorm, on the same Storm in one JVM, in turns.
 * Needs Java, Storm's jars (`sparse storm install`, or STORM_HOME), and for pystorm a Python that has it: PYTHON names
 * it. docs/benchmarks.md has results.
 */
import { existsSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { resolve } from 'node:path'
import { LocalCluster } from '../src/storm/deploy/local-cluster.ts'
import { packageTopology } from '../src/storm/deploy/package.ts'
import { Nimbus } from '../src/storm/thrift/nimbus.ts'
import { stormLibs } from '../test/support/storm/local-storm.ts'
import { spreadOf } from './runner/statistics.ts'

const FILE = 'benchmarks/storm/words.ts'
const WARM_UP_MS = 8_000
const MEASURE_MS = 12_000
const ROUNDS = Number(process.env['ROUNDS'] ?? 3)
const START_TIMEOUT_MS = 120_000

interface Case {
  readonly title: string
  readonly isAcked: boolean
  readonly perNext: number
}

const CASES: readonly Case[] = [
  { title: 'acked, 20 tuples a call of nextTuple', isAcked: true, perNext: 20 },
  { title: 'not acked, 100 tuples a call of nextTuple', isAcked: false, perNext: 100 },
]

interface Reading {
  readonly at: number
  readonly count: number
}

/** Tuples per second between the readings after the warm-up. */
async function measure(one: Case, python: string | undefined): Promise<number> {
  const readings: Reading[] = []
  const { name, config, topology, jar } = await packaged(python)
  await using cluster = await LocalCluster.start({
    jar,
    variables: { ...process.env, STORM_HOME: process.env['STORM_HOME'] ?? (await stormLibs()) },
    onLine: (line) => {
      const match = /METER (\d+) (\d+)/.exec(line)
      if (match !== null) readings.push({ at: Number(match[1]), count: Number(match[2]) })
      else if (/died|Exception:/.test(line)) console.error(line)
    },
  })
  using nimbus = await Nimbus.connect({ seeds: [cluster.nimbus] })
  await nimbus.submit({
    name,
    config: {
      ...config,
      'topology.workers': 1,
      'topology.acker.executors': one.isAcked ? 1 : 0,
      'topology.max.spout.pending': one.isAcked ? 1_000 : null,
      'bench.acked': one.isAcked,
      'bench.per.next': one.perNext,
    },
    topology,
    jarLocation: undefined,
  })
  const startedAt = performance.now()
  const isWarm = ({ at }: Reading): boolean => at >= readings[0]!.at + WARM_UP_MS
  for (;;) {
    await new Promise((done) => setTimeout(done, 100))
    const warm = readings.filter(isWarm)
    const [first, last] = [warm[0], warm.at(-1)]
    if (first !== undefined && last !== undefined && last.at - first.at >= MEASURE_MS) {
      return ((last.count - first.count) / (last.at - first.at)) * 1_000
    }
    if (performance.now() - startedAt > START_TIMEOUT_MS) throw new Error('no readings came')
  }
}

async function packaged(python: string | undefined) {
  const one = await packageTopology({ file: FILE })
  if (python === undefined) return one
  const scripts = {
    words: resolve('benchmarks/storm/words.py'),
    count: resolve('benchmarks/storm/count.py'),
  }
  const shell = (script: string) => ({ shell: { execution_command: python, script } })
  const { words } = one.topology.spouts
  const { count } = one.topology.bolts
  return {
    ...one,
    topology: {
      ...one.topology,
      spouts: { words: { ...words!, spout_object: shell(scripts.words) } },
      bolts: { count: { ...count!, bolt_object: shell(scripts.count) } },
    },
  }
}

async function main(): Promise<void> {
  const python = process.env['PYTHON']
  if (python !== undefined && !existsSync(python)) throw new Error(`there is no ${python}`)
  const clients = [
    ['samsa', undefined],
    ...(python === undefined ? [] : [['pystorm', python] as const]),
  ] as const
  console.log(`${cpus().length} cores, load ${loadavg()[0]!.toFixed(1)}`)
  for (const one of CASES) {
    const rates = new Map<string, number[]>(clients.map(([name]) => [name, []]))
    for (let round = 0; round < ROUNDS; round++) {
      for (const [name, command] of clients) {
        const rate = await measure(one, command)
        rates.get(name)!.push(rate)
        console.log(
          `${one.title}: ${name} ${Math.round(rate)} tuples/s, load ${loadavg()[0]!.toFixed(1)}`,
        )
      }
    }
    for (const [name, values] of rates) {
      console.log(
        `${one.title}: ${name}, median of ${values.length}: ${Math.round(spreadOf(values)!.median)} tuples/s`,
      )
    }
  }
}

await main()
