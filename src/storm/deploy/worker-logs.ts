/**
 * The logs of a topology's workers: files on this machine, files on another machine through ssh, or
 * through Storm's logviewer over HTTP.
 */
import { spawn } from 'node:child_process'
import { open, readdir, rm, stat } from 'node:fs/promises'
import { hostname, networkInterfaces } from 'node:os'
import { join, posix } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { StormError } from '../errors.ts'
import { eachLine, LineSplitter } from './lines.ts'

/** A worker, identified by its supervisor's host and its port. */
export interface WorkerPlace {
  readonly host: string
  readonly port: number
}

export type LogSource =
  /** A folder of Storm's logs, the same on each host. */
  | {
      readonly kind: 'files'
      readonly folder: string
      readonly user: string | undefined
      readonly sshPort: number | undefined
    }
  | { readonly kind: 'logviewer'; readonly port: number }

export interface TailOptions {
  readonly topologyId: string
  readonly worker: WorkerPlace
  readonly source: LogSource
  readonly lines: number
  /** Whether to continue until it is aborted. */
  readonly follow: boolean
  readonly signal: AbortSignal
  readonly onLine: (line: string) => void
}

const POLL_MS = 1_000
const LOG = 'worker.log'

/** Shows the last lines of a worker's log. Throws StormError. */
export async function tailLog(options: TailOptions): Promise<void> {
  const { source, worker } = options
  if (source.kind === 'logviewer') await tailByLogviewer(options, source.port)
  else if (isThisMachine(worker.host)) await tailFile(options, logFile(source.folder, options))
  else await tailBySsh(options, source)
}

/**
 * Deletes the logs of a topology's workers on a host. Resolves with the number of files, if it is
 * known. Throws StormError.
 */
export async function removeLogs(
  source: Extract<LogSource, { kind: 'files' }>,
  host: string,
  topologyId: string,
): Promise<number | undefined> {
  const folder = join(source.folder, 'workers-artifacts', topologyId)
  if (!isThisMachine(host)) {
    const command = `rm -rf -- ${shellQuoted(posix.join(source.folder, 'workers-artifacts', topologyId))}`
    await run('ssh', [...sshTo(source, host), command], () => undefined)
    return undefined
  }
  const names = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  const logs = names.filter((entry) => entry.isFile() && /\.log(?:\.|$)/.test(entry.name))
  for (const entry of logs) await rm(join(entry.parentPath, entry.name), { force: true })
  return logs.length
}

function logFile(folder: string, { topologyId, worker }: TailOptions): string {
  return join(folder, 'workers-artifacts', topologyId, String(worker.port), LOG)
}

export function isThisMachine(host: string): boolean {
  const addresses = Object.values(networkInterfaces()).flatMap((all) => all ?? [])
  return (
    host === 'localhost' || host === hostname() || addresses.some(({ address }) => address === host)
  )
}

async function tailFile(
  { lines, follow, signal, onLine }: TailOptions,
  path: string,
): Promise<void> {
  const printed = new LineSplitter(onLine)
  let at = 0
  let isFirst = true
  for (;;) {
    const size = await stat(path).then(
      (of) => of.size,
      () => undefined,
    )
    if (size === undefined && !follow) {
      throw new StormError(
        'INVALID_ARGUMENT',
        `the log ${path} does not exist: the worker may not have started`,
      )
    }
    // A log that was rotated is read from its beginning.
    if (size !== undefined && size < at) at = 0
    if (size !== undefined && size > at) {
      const bytes = await readFrom(path, at)
      if (isFirst) printed.last(bytes.toString(), lines)
      else printed.take(bytes.toString())
      at += bytes.length
    }
    isFirst = false
    if (!follow || (await pause(signal))) break
  }
  printed.end()
}

async function readFrom(path: string, at: number): Promise<Buffer> {
  const file = await open(path)
  try {
    const parts: Buffer[] = []
    for await (const part of file.createReadStream({ start: at, autoClose: false })) {
      // A stream without an encoding yields Buffers; its type does not state that.
      parts.push(part as Buffer)
    }
    return Buffer.concat(parts)
  } finally {
    await file.close()
  }
}

/** The logviewer returns only whole files: the part that was already read is skipped. */
async function tailByLogviewer(options: TailOptions, port: number): Promise<void> {
  const { topologyId, worker, lines, follow, signal, onLine } = options
  const file = encodeURIComponent(`${topologyId}/${worker.port}/${LOG}`)
  const url = `http://${worker.host}:${port}/api/v1/download?file=${file}`
  const printed = new LineSplitter(onLine)
  let seen: number | undefined
  do {
    const text = await download(url, signal)
    if (seen === undefined) printed.last(text, lines)
    else printed.take(text.slice(seen > text.length ? 0 : seen))
    seen = text.length
  } while (follow && !(await pause(signal)))
  printed.end()
}

async function download(url: string, signal: AbortSignal): Promise<string> {
  let response: Response
  try {
    response = await fetch(url, { signal })
  } catch (error) {
    // fetch rejects with an error whose cause is the reason.
    const { cause = error } = error as Error
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new StormError(
      'NIMBUS_UNREACHABLE',
      `cannot connect to Storm's logviewer at ${url}: ${reason}. Start it, or set storm_log_path of the environment to the folder of Storm's logs`,
      undefined,
      error,
    )
  }
  if (response.ok) return response.text()
  const text = (await response.text()).slice(0, 200)
  throw new StormError(
    'NIMBUS_FAILED',
    `the logviewer responded to ${url} with status ${response.status}: ${text}`,
  )
}

async function tailBySsh(
  options: TailOptions,
  source: Extract<LogSource, { kind: 'files' }>,
): Promise<void> {
  const { topologyId, worker, lines, follow, signal, onLine } = options
  const path = posix.join(source.folder, 'workers-artifacts', topologyId, String(worker.port), LOG)
  const command = `tail -n ${lines}${follow ? ' -F' : ''} -- ${shellQuoted(path)}`
  await run('ssh', [...sshTo(source, worker.host), command], onLine, signal)
}

function sshTo(
  { user, sshPort }: Extract<LogSource, { kind: 'files' }>,
  host: string,
): readonly string[] {
  const port = sshPort === undefined ? [] : ['-p', String(sshPort)]
  return ['-o', 'BatchMode=yes', ...port, '--', user === undefined ? host : `${user}@${host}`]
}

async function run(
  command: string,
  args: readonly string[],
  onLine: (line: string) => void,
  signal?: AbortSignal,
): Promise<void> {
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(signal === undefined ? {} : { signal }),
  })
  let errors = ''
  eachLine(child.stdout, onLine)
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
  const problem = await new Promise<string | undefined>((resolve) => {
    child.on('error', (error) => resolve(signal?.aborted === true ? undefined : error.message))
    child.on('close', (code) =>
      resolve(code === 0 ? undefined : errors.trim() || `exit code ${code}`),
    )
  })
  if (problem === undefined || signal?.aborted === true) return
  throw new StormError('INVALID_ARGUMENT', `${command} ${args.join(' ')}: ${problem}`)
}

function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

/** Resolves with true if it was aborted. */
function pause(signal: AbortSignal): Promise<boolean> {
  return setTimeout(POLL_MS, false, { signal }).catch(() => true)
}
