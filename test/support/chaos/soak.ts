/**
 * `npm run test:soak -- --hours 1`: random faults on a real cluster while producers and groups work. Each hour has new
 * clients, whose heaps and handles must stay level, and a topic of its own, which is checked at its end.
 */
import { Command } from 'commander'
import { now } from './workload/lines.ts'
import { ChaosCluster } from './kit/chaos-cluster.ts'
import { blockedClients, frozenClients, killedClients } from './kit/client-faults.ts'
import type { Fault } from './kit/fault.ts'
import {
  acceptsAndCloses,
  anotherCluster,
  refusal,
  shortLived,
  slowNetwork,
} from './kit/network-faults.ts'
import { nodeFault, rollingRestart } from './kit/node-faults.ts'
import { electionEachSecond, reassignment } from './kit/topic-faults.ts'
import { keepResult } from './report/results.ts'
import {
  problemsOf,
  runScenario,
  type Scenario,
  type ScenarioResult,
} from './scenarios/scenario.ts'

interface Options {
  readonly hours: string
  readonly kafka: string
  readonly seed?: string
}

/** Each with how long it is held. */
const FAULTS: readonly (readonly [name: string, fault: Fault, holdMs: number])[] = [
  ['kill leader', nodeFault('kill', 'leader'), 2_000],
  ['terminate leader', nodeFault('terminate', 'leader'), 2_000],
  ['freeze leader', nodeFault('freeze', 'leader'), 2_000],
  ['kill coordinator', nodeFault('kill', 'coordinator'), 2_000],
  ['freeze coordinator', nodeFault('freeze', 'coordinator'), 2_000],
  ['kill controller', nodeFault('kill', 'controller'), 2_000],
  ['rolling restart', rollingRestart, 0],
  ['elections', electionEachSecond, 0],
  ['reassignment', reassignment, 0],
  ['kill clients', killedClients, 0],
  ['freeze clients', frozenClients, 0],
  ['block clients', blockedClients, 0],
  ['slow network', slowNetwork, 10_000],
  ['short-lived connections', shortLived, 10_000],
  ['refusal', refusal, 5_000],
  ['accept and close', acceptsAndCloses, 2_000],
  ['another cluster', anotherCluster, 2_000],
]

const HOUR_MS = 3_600_000
const MESSAGES_PER_SECOND = 120
/** More than this between the second quarter of a client's life and its last is a leak. */
const MOST_HEAP_GROWTH_BYTES = 4 << 20
/** Connections come and go with brokers. */
const MOST_MORE_HANDLES = 6

function soak(durationMs: number, hour: number): Scenario {
  return {
    title: `shows no anomaly, and needs no more memory, under random faults, hour ${hour}`,
    faults: 'a random fault after the other',
    network: 'gate',
    sessionTimeoutMs: 6_000,
    messagesPerSecond: MESSAGES_PER_SECOND,
    alone: ['for await'],
    run: async (run) => {
      const end = now() + durationMs
      while (now() < end) {
        const [name, fault, holdMs] = run.random.pick(FAULTS)
        await run.fault(name, fault, holdMs)
      }
    },
  }
}

/** Clients that need more and more. */
function leaksOf({ footprints }: ScenarioResult): readonly string[] {
  return footprints.flatMap(({ name, heapBytes, handles }) => [
    ...(heapBytes[1] - heapBytes[0] > MOST_HEAP_GROWTH_BYTES
      ? [`${name}: the heap grew from ${heapBytes[0]} to ${heapBytes[1]} bytes`]
      : []),
    ...(handles[1] - handles[0] > MOST_MORE_HANDLES
      ? [`${name}: ${handles[0]} handles became ${handles[1]}`]
      : []),
  ])
}

async function main({ hours, kafka: version, seed }: Options): Promise<void> {
  await using cluster = await ChaosCluster.start({ version })
  let leftMs = Number(hours) * HOUR_MS
  let roundSeed = Number(seed ?? process.env['SAMSA_SEED'] ?? Date.now() % 1_000_000)
  for (let hour = 1; leftMs > 0; leftMs -= HOUR_MS, roundSeed++, hour++) {
    console.log(`${(leftMs / HOUR_MS).toFixed(2)} hours to go, --seed ${roundSeed}`)
    await cluster.whole([])
    const result = await runScenario(soak(Math.min(leftMs, HOUR_MS), hour), cluster, roundSeed)
    keepResult(result)
    const problems = [...problemsOf(result), ...leaksOf(result)]
    console.log(result.figures, result.footprints, `${result.injected.length} faults`)
    for (const problem of problems) console.log(problem)
    if (problems.length > 0) process.exitCode = 1
  }
}

new Command('test:soak')
  .option('--hours <number>', 'how long', '1')
  .option('--kafka <version>', 'of the brokers', '4.4.0')
  .option('--seed <number>', 'to do the same again')
  .action(main)
  .parseAsync()
  .catch((error: unknown) => {
    console.error(error)
    process.exitCode = 1
  })
