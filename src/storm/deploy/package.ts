/** The parts of a submission: the topology's description, and a jar with its bundle. */
import { spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, posix, relative, resolve, sep } from 'node:path'
import { StormError } from '../errors.ts'
import {
  JSON_PARSER,
  JSON_SERIALIZER,
  JSON_WRITER,
  MSGPACK_SERIALIZER,
  PIPE_OUTPUT,
  SHELL_MESSAGES,
} from '../java/classes.ts'
import { readDescription, type Description } from '../topology/description.ts'
import { bundleTopology, type BundleOptions } from './bundle.ts'
import { zip, type ZipEntry } from './zip.ts'

export interface PackageOptions extends BundleOptions {
  /** The topology's file. */
  readonly file: string
  readonly environment?: string | undefined
  /** Files and folders to put into the jar with the bundle. */
  readonly resources?: readonly string[] | undefined
}

export interface PackagedTopology extends Description {
  readonly jar: Buffer
}

/** The file that Storm starts. */
const SCRIPT = 'topology.cjs'
const BUNDLE = 'bundle.cjs'
/** Makes stacks show the lines of the sources, which costs nothing until there is an error. */
const START = `process.setSourceMapsEnabled(true)\nrequire('./${BUNDLE}')\n`
const DESCRIBE_TIMEOUT_MS = 60_000
/** The serializers, and what they use. */
const SERIALIZERS = [
  ...[JSON_SERIALIZER, JSON_PARSER, JSON_WRITER, PIPE_OUTPUT],
  ...[MSGPACK_SERIALIZER, SHELL_MESSAGES],
]

/** Whether a jar has the serializers: a jar has the names of its files as they are. */
export function hasSerializers(jar: Buffer): boolean {
  return SERIALIZERS.every(({ path }) => jar.includes(path))
}

/**
 * Bundles the topology, runs the bundle to describe it, and puts it into a jar. Throws StormError.
 */
export async function packageTopology(options: PackageOptions): Promise<PackagedTopology> {
  const { code, map } = await bundleTopology(options.file, options)
  const files: ZipEntry[] = [
    { path: SCRIPT, bytes: Buffer.from(START) },
    { path: BUNDLE, bytes: code },
    { path: `${BUNDLE}.map`, bytes: map },
    ...(await resourceFiles(options.resources ?? [])),
  ]
  const description = await describe(files, options)
  const manifest = 'Manifest-Version: 1.0\r\nCreated-By: samsa\r\n\r\n'
  const jar = zip([
    { path: 'META-INF/MANIFEST.MF', bytes: Buffer.from(manifest) },
    ...SERIALIZERS.map(({ path, base64 }) => ({ path, bytes: Buffer.from(base64, 'base64') })),
    ...files.map(({ path, bytes }) => ({ path: `resources/${path}`, bytes })),
  ])
  return { ...description, jar }
}

/** Files by their paths in the project; a folder stands for all its files. */
async function resourceFiles(paths: readonly string[]): Promise<readonly ZipEntry[]> {
  const found: ZipEntry[] = []
  for (const path of paths) {
    const names = (await stat(path)).isDirectory()
      ? (await readdir(path, { recursive: true, withFileTypes: true }))
          .filter((entry) => entry.isFile())
          .map((entry) => join(entry.parentPath, entry.name))
      : [path]
    for (const name of names) {
      const inside = relative('.', resolve(name)).split(sep).join(posix.sep)
      if (inside.startsWith('..')) {
        throw new StormError('INVALID_ARGUMENT', `the resource ${path} is outside of the project`)
      }
      found.push({ path: inside, bytes: await readFile(name) })
    }
  }
  return found
}

/**
 * Runs the bundle in a separate process, so that the code in the topology's file does not run in
 * this one.
 */
async function describe(
  files: readonly ZipEntry[],
  { file, environment }: PackageOptions,
): Promise<Description> {
  const folder = await mkdtemp(join(tmpdir(), 'sparse-'))
  try {
    for (const { path, bytes } of files.slice(0, 3)) await writeFile(join(folder, path), bytes)
    const { code, output, errors } = await runBundle(join(folder, SCRIPT), environment)
    if (code !== 0) throw new StormError('INVALID_TOPOLOGY', `${file}: ${problemIn(errors)}`)
    for (const line of output.split('\n').reverse()) {
      if (line.startsWith('{"name":')) return readDescription(line)
    }
    const reason = `${file} does not describe a topology: its last line must be runTopology(topology)`
    throw new StormError('INVALID_TOPOLOGY', reason)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function runBundle(
  script: string,
  environment: string | undefined,
): Promise<{ readonly code: number | null; readonly output: string; readonly errors: string }> {
  const env = { ...process.env, SAMSA_STORM_DESCRIBE: environment ?? '1' }
  const child = spawn(process.execPath, [script], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: DESCRIBE_TIMEOUT_MS,
    killSignal: 'SIGKILL',
  })
  let output = ''
  let errors = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, output, errors }))
  })
}

/** The error for which Node ended a process: the line above its stack, and where it was thrown. */
function problemIn(errors: string): string {
  const lines = errors.split('\n')
  const at = lines.findIndex((line) => /^(?:[\w.]*Error|Uncaught)\b.*:/.test(line))
  if (at < 0) return errors.trim() === '' ? 'it did not end in time' : errors.trim()
  const message = lines[at]!.replace(/^StormError(?: \[\w+\])?: /, '')
  const place = lines
    .slice(at)
    .find((line) => /^\s+at .*\.[cm]?[jt]sx?:\d+/.test(line) && !line.includes('node_modules'))
  return place === undefined ? message : `${message} (${place.trim()})`
}
