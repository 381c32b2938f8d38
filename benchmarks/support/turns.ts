/**
 * Times several ways of doing the same in turns (A B C A B C …), so that what else the machine does falls on
 * all of them alike, and tells the median of the rounds. Compare only figures of one run.
 */
import { performance } from 'node:perf_hooks'

export interface Contender {
  readonly name: string
  /** Does the work once; its result is kept alive until the next, so that it isn't optimized away. */
  readonly run: () => unknown
}

export interface Timing {
  readonly name: string
  /** Median over the rounds. */
  readonly microseconds: number
  /** Half the distance between the quartiles, as a share of the median. */
  readonly spread: number
}

export interface TurnOptions {
  readonly rounds?: number
  /** How long one contender runs in one round. */
  readonly roundMs?: number
}

/** What was computed last: nothing can be optimized away that is written here. */
const kept: { result?: unknown } = {}

export async function inTurns(
  contenders: readonly Contender[],
  { rounds = 9, roundMs = 60 }: TurnOptions = {},
): Promise<readonly Timing[]> {
  const samples = new Map<string, number[]>(contenders.map(({ name }) => [name, []]))
  for (let round = -1; round < rounds; round++) {
    for (const { name, run } of contenders) {
      const microseconds = await timeOnce(run, roundMs)
      if (round >= 0) samples.get(name)!.push(microseconds) // The first is for the compiler.
    }
  }
  return contenders.map(({ name }) => {
    const sorted = samples.get(name)!.sort((a, b) => a - b)
    const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))]!
    const median = at(0.5)
    return { name, microseconds: median, spread: (at(0.75) - at(0.25)) / 2 / median }
  })
}

async function timeOnce(run: () => unknown, roundMs: number): Promise<number> {
  const start = performance.now()
  for (let runs = 1; ; runs++) {
    const result = run()
    kept.result = result instanceof Promise ? await result : result
    const elapsedMs = performance.now() - start
    if (elapsedMs >= roundMs) return (elapsedMs * 1000) / runs
  }
}
