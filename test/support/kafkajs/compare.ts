import { setTimeout as delay } from 'node:timers/promises'
import * as layer from '../../../src/kafkajs/index.ts'
import kafkajs from 'kafkajs'
import { ADMINISTERING } from './administering.ts'
import { CONNECTING } from './connecting.ts'
import { CONSUMING } from './consuming.ts'
import { EDGES } from './edges.ts'
import { GROUPING } from './grouping.ts'
import { PRODUCING } from './producing.ts'
import { TRANSACTIONS } from './transactions.ts'
import { World, type Library, type Step } from './world.ts'

export const AREAS: Readonly<Record<string, readonly Step[]>> = {
  connecting: CONNECTING,
  producing: PRODUCING,
  consuming: CONSUMING,
  administering: ADMINISTERING,
  transactions: TRANSACTIONS,
}

/** The areas that only the long form of the test compares. */
export const LONG_AREAS: Readonly<Record<string, readonly Step[]>> = {
  grouping: GROUPING,
  edges: EDGES,
}

const LIBRARIES = { kafkajs, samsa: layer } as const

export interface Compared {
  readonly kafkajs: unknown
  readonly samsa: unknown
}

/** Runs a step with both libraries, at the same time and on the same brokers. */
export async function compare(step: Step, brokers: readonly string[]): Promise<Compared> {
  const unique = Math.random().toString(36).slice(2, 10)
  const [theirs, ours] = await Promise.all([
    bounded('kafkajs', runWith(LIBRARIES.kafkajs, step, brokers, `compared-1.${unique}.`)),
    bounded('samsa/kafkajs', runWith(LIBRARIES.samsa, step, brokers, `compared-2.${unique}.`)),
  ])
  return { kafkajs: theirs, samsa: ours }
}

/** Runs a step with both libraries, one after another. */
export async function compareInTurn(step: Step, brokers: readonly string[]): Promise<Compared> {
  return {
    kafkajs: await bounded('kafkajs', runWith(LIBRARIES.kafkajs, step, brokers, 'compared.')),
    samsa: await bounded('samsa/kafkajs', runWith(LIBRARIES.samsa, step, brokers, 'compared.')),
  }
}

/** Names the library if its step does not end in time. */
async function bounded<T>(library: string, running: Promise<T>): Promise<T> {
  const over = new AbortController()
  const late = delay(LONGEST_STEP_MS, undefined, { signal: over.signal }).then(() => {
    throw new Error(`${library} did not finish within ${LONGEST_STEP_MS / 1000} s`)
  })
  late.catch(() => undefined)
  try {
    return await Promise.race([running, late])
  } finally {
    over.abort()
  }
}

const LONGEST_STEP_MS = 120_000

async function runWith(
  lib: Library,
  step: Step,
  brokers: readonly string[],
  prefix: string,
): Promise<unknown> {
  await using world = new World(lib, brokers, prefix)
  return world.normalized(await step.run(world))
}
