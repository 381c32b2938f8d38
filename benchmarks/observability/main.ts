/**
 * `npm run bench:observability`: what counting, listening and exporting cost, as CPU for each message of 100 bytes
 * against the null broker. Each run is a process of its own. The variants take turns, and their order changes with each
 * round. Figures are medians of the ratios within a round; docs/benchmarks.md has results.
 */
import { Command, Option } from 'commander'
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { startNullBroker } from '../runner/null-place.ts'
import { buildSamsa, type Source } from './builds.ts'
import { MODES, type Listeners, type Mode } from './modes.ts'
import { ratioOf, type Ratio } from './ratio.ts'

interface Variant {
  readonly name: string
  readonly source: Source
  readonly listeners: Listeners
  /** The part of the messages that a run has. */
  readonly part: number
}

interface Options {
  readonly rounds: number
  readonly messages: number
  readonly modes: readonly Mode[]
  readonly against?: string
  readonly spans: 'batch' | 'message'
}

/** CPU for a message in microseconds. */
interface Cpu {
  readonly user: number
  readonly total: number
}

/** What the variants are compared with. */
const BASES = ['before', 'uncounted', 'none']
const HERE: Source = {}
const FOR_MESSAGES: Variant = {
  name: 'messages',
  source: HERE,
  listeners: 'messages',
  part: 0.1,
}

function variantsOf({ against, spans }: Options): readonly Variant[] {
  return [
    ...(against === undefined
      ? []
      : [{ name: 'before', source: { commit: against }, listeners: 'none', part: 1 } as const]),
    { name: 'uncounted', source: { isUncounted: true }, listeners: 'none', part: 1 },
    { name: 'none', source: HERE, listeners: 'none', part: 1 },
    { name: 'metrics', source: HERE, listeners: 'metrics', part: 1 },
    { name: 'all', source: HERE, listeners: 'all', part: 1 },
    ...(spans === 'message' ? [FOR_MESSAGES] : []),
  ]
}

const run = promisify(execFile)

async function measure(options: Options): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'samsa-observability-'))
  await using broker = await startNullBroker(new AbortController().signal)
  const port = broker.hosts.slice(broker.hosts.lastIndexOf(':') + 1)
  try {
    const variants = variantsOf(options)
    const builds = new Map<Source, string>()
    for (const { name, source } of variants) {
      if (builds.has(source)) continue
      builds.set(source, await buildSamsa(join(folder, name), source))
    }
    const measured = async ({ source, listeners, part }: Variant, mode: Mode, messages: number) => {
      const driver = 'benchmarks/observability/driver.ts'
      const given = [builds.get(source)!, mode, listeners, port, String(messages * part)]
      const { stdout } = await run(process.execPath, ['--import', 'tsx', driver, ...given])
      const [user = NaN, system = NaN] = stdout.split(' ').map(Number)
      return { user, total: user + system }
    }
    // The consumers read what this has sent.
    await measured(variants[0]!, 'produce', 100_000)
    for (const mode of options.modes) {
      const figures = new Map<string, Cpu[]>(variants.map(({ name }) => [name, []]))
      for (let round = 1; round <= options.rounds; round++) {
        for (const variant of round % 2 === 0 ? [...variants].reverse() : variants) {
          figures.get(variant.name)!.push(await measured(variant, mode, options.messages))
        }
        console.error(`${mode}: round ${round} of ${options.rounds}`)
      }
      report(mode, figures)
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function report(mode: Mode, figures: ReadonlyMap<string, readonly Cpu[]>): void {
  for (const [name, all] of figures) {
    const least = (kind: keyof Cpu) => Math.min(...all.map((one) => one[kind])).toFixed(3)
    console.log(`${mode}, ${name}: at least ${least('total')} µs, ${least('user')} of it user time`)
    for (const base of BASES) {
      const others = figures.get(base)
      if (others === undefined || base === name) continue
      const of = (kind: keyof Cpu) =>
        textOf(
          ratioOf(
            all.map((one) => one[kind]),
            others.map((one) => one[kind]),
          ),
        )
      console.log(`  compared with ${base}: user time ${of('user')}, all CPU ${of('total')}`)
    }
  }
}

function textOf({ median, low, high }: Ratio): string {
  const percent = (ratio: number) =>
    `${ratio < 1 ? '−' : '+'}${Math.abs(100 * (ratio - 1)).toFixed(1)} %`
  return `${percent(median)} (${percent(low)} to ${percent(high)})`
}

const command = new Command('bench:observability')
  .option('--rounds <number>', 'how often each variant runs', Number, 7)
  .option('--messages <number>', 'the messages of a run', Number, 10_000_000)
  .option('--against <commit>', 'also measure this commit, without listeners')
  .addOption(new Option('--modes <names...>', 'what is done').choices(MODES).default([...MODES]))
  .addOption(
    new Option('--spans <what>', 'also measure a span for each message')
      .choices(['batch', 'message'])
      .default('batch'),
  )
await measure(command.parse().opts<Options>())
