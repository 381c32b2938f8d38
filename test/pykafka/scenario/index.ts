import { setTimeout as delay } from 'node:timers/promises'
import { BALANCED_CASES } from './balanced.ts'
import { BROKER_CASES } from './broker.ts'
import { CLIENT_CASES } from './client.ts'
import { CONSUMER_CASES } from './consumer.ts'
import { PRODUCER_CASES } from './producer.ts'
import { failure, Scene, type Case, type Outcome } from './scene.ts'

export type { Outcome } from './scene.ts'

/** The port of scenario.py, by the names of its cases. */
export const CASES: Readonly<Record<string, Case>> = {
  ...CLIENT_CASES,
  ...BROKER_CASES,
  ...PRODUCER_CASES,
  ...CONSUMER_CASES,
  ...BALANCED_CASES,
}

const AT_ONCE = 8
/** As scenario.py. */
const CASE_TIMEOUT_MS = 30_000

async function inTime(outcome: Promise<Outcome>): Promise<Outcome> {
  const abandoned = new AbortController()
  const { signal } = abandoned
  const late = delay<Outcome>(CASE_TIMEOUT_MS, { hangs: true }, { signal })
  // It is aborted only when no caller waits for it any more.
  late.catch(() => undefined)
  try {
    return await Promise.race([outcome, late])
  } finally {
    abandoned.abort()
  }
}

/** Runs cases, a few at a time. */
export async function runScenario(
  hosts: string,
  zookeeperHosts: string,
  prefix: string,
  names: readonly string[],
): Promise<ReadonlyMap<string, Outcome>> {
  const outcomes = new Map<string, Outcome>()
  const waiting = [...names]
  const work = async (): Promise<void> => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      const topic = prefix + name.replace(/[^a-zA-Z]+/g, '-')
      await using scene = new Scene(hosts, zookeeperHosts, topic)
      const run = CASES[name]!
      outcomes.set(name, await inTime(failure(() => run(scene))))
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  return outcomes
}
