import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { once } from 'node:events'
import { spreadOf } from '../runner/statistics.ts'

export interface ProcessCost {
  readonly wallMs: number
  /** User and system, up to the last sample before the end. */
  readonly cpuMs: number
  /** The most resident memory of the first and of the second half of the run, in bytes. */
  readonly memory: readonly [firstHalf: number, secondHalf: number]
}

export interface ProcessOptions {
  readonly input?: string | undefined
  readonly output?: string | undefined
  /** The exit codes that are no failure. Default: 0. */
  readonly exitCodes?: readonly number[]
}

const SAMPLE_MS = 50
/** The unit of times in /proc on every Linux that Node.js supports. */
const TICK_MS = 10

/** Runs a process to its end, with its standard streams at /dev/null or at files. Throws if it fails. */
export async function measureProcess(
  command: string,
  args: readonly string[],
  { input, output, exitCodes = [0] }: ProcessOptions = {},
): Promise<ProcessCost> {
  const files = [openSync(input ?? '/dev/null', 'r'), openSync(output ?? '/dev/null', 'w')] as const
  const samples: { readonly atMs: number; readonly memory: number; readonly cpuMs: number }[] = []
  const startedAt = performance.now()
  const child = spawn(command, [...args], { stdio: [...files, 'ignore'] })
  const sampling = setInterval(() => {
    const found = sampleOf(child.pid!)
    if (found !== undefined) samples.push({ atMs: performance.now() - startedAt, ...found })
  }, SAMPLE_MS)
  const [code] = (await once(child, 'exit')) as [number | null]
  const wallMs = performance.now() - startedAt
  clearInterval(sampling)
  files.forEach(closeSync)
  if (!exitCodes.includes(code ?? -1))
    throw new Error(`${command} ${args.join(' ')} ended with ${code}`)
  const most = (isIn: (atMs: number) => boolean) =>
    Math.max(0, ...samples.filter(({ atMs }) => isIn(atMs)).map(({ memory }) => memory))
  return {
    wallMs,
    cpuMs: samples.at(-1)?.cpuMs ?? 0,
    memory: [most((atMs) => atMs < wallMs / 2), most((atMs) => atMs >= wallMs / 2)],
  }
}

/** From /proc: undefined once the process has ended. */
function sampleOf(pid: number): { memory: number; cpuMs: number } | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    const resident = /VmRSS:\s+(\d+) kB/.exec(status)
    // The name of the process, in parentheses, may contain spaces.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ')
    if (resident === null) return undefined
    return {
      memory: Number(resident[1]) * 1024,
      cpuMs: (Number(stat[11]) + Number(stat[12])) * TICK_MS,
    }
  } catch {
    return undefined
  }
}

/** A cell of a table: the median in milliseconds, or nothing without a sample. */
export function medianCell(times: readonly number[]): string {
  const found = spreadOf(times)
  return found === undefined ? '' : `${Math.round(found.median)} ms`
}

export function writeRow(cells: readonly string[]): void {
  process.stdout.write(`| ${cells.join(' | ')} |\n`)
}
