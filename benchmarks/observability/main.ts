/**
 * `npm run bench:observability`: what counting, listening and exporting cost, as CPU for each message of 100 bytes
 * against the null broker in the same process. Each is switched on and off in turns within one process; figures are
 * medians of the ratios of two parts that follow each other. docs/benchmarks.md has results.
 */
import { Command, Option } from 'commander'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildSamsa, type Source } from './builds.ts'
import { Contestant } from './contestant.ts'
import { MODES, SWITCHED, type Mode, type Switched } from './modes.ts'
import { ratioOf } from './ratio.ts'

interface Options {
  readonly rounds: number
  readonly pairs: number
  readonly messages: number
  readonly modes: readonly Mode[]
  readonly only: readonly Switched[]
  readonly against?: string
}

/** The parts with spans for messages are smaller, because these take a hundred times as long. */
const PART_WITH_SPANS = 0.02

/** CPU for a message in microseconds: with and without what is compared. */
interface Pair {
  readonly on: number
  readonly off: number
}

type Work = () => Promise<number>

async function pairsOf(count: number, on: Work, off: Work): Promise<Pair[]> {
  const pairs: Pair[] = []
  for (let pair = 0; pair < count; pair++) {
    if (pair % 2 === 0) pairs.push({ on: await on(), off: await off() })
    else {
      const first = await off()
      pairs.push({ on: await on(), off: first })
    }
  }
  return pairs
}

async function switched(
  dist: string,
  mode: Mode,
  what: Switched,
  options: Options,
): Promise<Pair[]> {
  const messages = Math.round(options.messages * (what === 'messages' ? PART_WITH_SPANS : 1))
  await using client = await Contestant.start(dist, mode, what)
  const work = (isOn: boolean) => async () => (await client.work({ messages, isOn })) / messages
  return await pairsOf(options.pairs, work(true), work(false))
}

/** Two builds cannot be switched: each has a process, and the two differ in what V8 has inlined, too. */
async function against(
  before: string,
  here: string,
  mode: Mode,
  { messages, pairs }: Options,
): Promise<Pair[]> {
  await using old = await Contestant.start(before, mode, 'nothing')
  await using current = await Contestant.start(here, mode, 'nothing')
  const work = (client: Contestant) => async () =>
    (await client.work({ messages, isOn: false })) / messages
  const measured = await pairsOf(pairs, work(current), work(old))
  const mean = (all: readonly number[]) => all.reduce((a, b) => a + b) / all.length
  // The processes are compared, not their parts: these have their process in common.
  return [{ on: mean(measured.map(({ on }) => on)), off: mean(measured.map(({ off }) => off)) }]
}

async function measure(options: Options): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'samsa-observability-'))
  const built = (name: string, source: Source) => buildSamsa(join(folder, name), source)
  try {
    const here = await built('here', {})
    const withSwitch = await built('switch', { isSwitched: true })
    const before =
      options.against === undefined ? undefined : await built('before', { commit: options.against })
    for (const mode of options.modes) {
      for (const what of options.only) {
        const dist = what === 'counting' ? withSwitch : here
        await report(`${mode}, ${what}`, options.rounds, () => switched(dist, mode, what, options))
      }
      if (before !== undefined) {
        const name = `${mode}, compared with ${options.against}`
        await report(name, options.rounds, () => against(before, here, mode, options))
      }
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function report(name: string, rounds: number, round: () => Promise<Pair[]>): Promise<void> {
  const pairs: Pair[] = []
  for (let count = 0; count < rounds; count++) pairs.push(...(await round()))
  const on = pairs.map((pair) => pair.on)
  const off = pairs.map((pair) => pair.off)
  const { median, low, high } = ratioOf(on, off)
  const least = (all: readonly number[]) => `${Math.min(...all).toFixed(3)} µs`
  console.log(
    `${name}: ${percent(median)} (${percent(low)} to ${percent(high)}); at least ${least(on)}, without ${least(off)}`,
  )
}

const percent = (ratio: number) =>
  `${ratio < 1 ? '−' : '+'}${Math.abs(100 * (ratio - 1)).toFixed(2)} %`

const command = new Command('bench:observability')
  .option('--rounds <number>', 'processes for each comparison', Number, 4)
  .option('--pairs <number>', 'how often it is switched on and off in each', Number, 8)
  .option('--messages <number>', 'the messages of each part', Number, 5_000_000)
  .option('--against <commit>', 'also compare with this commit, in processes of their own')
  .addOption(new Option('--modes <names...>', 'what is done').choices(MODES).default([...MODES]))
  .addOption(
    new Option('--only <names...>', 'what is switched')
      .choices(SWITCHED)
      .default(SWITCHED.filter((what) => what !== 'messages')),
  )
await measure(command.parse().opts<Options>())
