/** A whole Apache Storm in one JVM, from Maven Central's jars, that runs a topology of ours. */
import { build } from 'esbuild'
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { mavenJars, type DownloadOptions } from '../kafka/download.ts'
import { javaAvailable } from '../kafka/java.ts'
import { cacheFolder } from '../kafka/cache.ts'
import { runCommand } from '../run-command.ts'
import { TemporaryFolder } from '../temporary-folder.ts'
import { PATIENCE_MS } from '../patience.ts'

/** The newest whose parent POMs Maven Central has. */
export const STORM_VERSION = '2.8.3'
const HERE = 'test/support/storm'
const JVM = ['-Xmx512m', '-XX:TieredStopAtLevel=1', '-Djava.net.preferIPv4Stack=true']

/** The folder of Storm's jars: 45 of them, 136 MB. */
export function stormLibs(options: DownloadOptions = {}): Promise<string> {
  const artifacts = ['storm-client', 'storm-server']
  const coordinates = artifacts.map((name) => `org.apache.storm:${name}:${STORM_VERSION}`)
  return mavenJars(`storm-${STORM_VERSION}`, coordinates, options)
}

/** What is missing to run Storm: Java, or Maven where Storm's jars have not been fetched yet. */
export function missingForStorm(): readonly string[] {
  if (javaAvailable() === undefined) return ['Java (17 or newer, on the PATH)']
  const folders = (process.env['PATH'] ?? '').split(':')
  const hasMaven = folders.some((folder) => existsSync(join(folder, 'mvn')))
  if (hasMaven || existsSync(join(cacheFolder(), `storm-${STORM_VERSION}`))) return []
  return ["Maven (it fetches Storm's jars)"]
}

export interface LocalStormOptions {
  /** The topology's file, which calls `runTopology` with what it exports. */
  readonly file: string
  /** Settings in addition to the topology's. */
  readonly config?: Readonly<Record<string, unknown>>
}

/** Started by `start`, ended by `await using`. */
export class LocalStorm implements AsyncDisposable {
  readonly #child: ChildProcessWithoutNullStreams
  readonly #folder: TemporaryFolder
  readonly #ended: Promise<void>
  #output = ''
  #exitCode: number | null | undefined

  private constructor(child: ChildProcessWithoutNullStreams, folder: TemporaryFolder) {
    this.#child = child
    this.#folder = folder
    const append = (chunk: Buffer) => (this.#output += chunk.toString())
    child.stdout.on('data', append)
    child.stderr.on('data', append)
    this.#ended = new Promise((done) =>
      child.on('close', (code) => {
        this.#exitCode = code
        done()
      }),
    )
  }

  /** Bundles the topology, starts Storm with it, and resolves when it is submitted. */
  static async start({ file, config = {} }: LocalStormOptions): Promise<LocalStorm> {
    const libs = await stormLibs()
    const folder = new TemporaryFolder()
    const resources = join(folder.path, 'app', 'resources')
    await mkdir(resources, { recursive: true })
    const bundle = join(resources, 'topology.cjs')
    await bundleTopology(file, bundle)
    const description = await describeTopology(bundle)
    const all = { ...description, config: { ...description.config, ...config } }
    const json = join(folder.path, 'topology.json')
    await writeFile(json, JSON.stringify(all))
    const classPath = [join(folder.path, 'app'), join(libs, '*')].join(':')
    const args = [
      ...JVM,
      `-Dlog4j2.configurationFile=${resolve(HERE, 'log4j2.xml')}`,
      `-Djava.io.tmpdir=${folder.path}`,
      ...['-cp', classPath, resolve(HERE, 'LocalStorm.java'), json],
    ]
    const storm = new LocalStorm(spawn('java', args), folder)
    try {
      await storm.printed(/^SUBMITTED/m, PATIENCE_MS)
    } catch (error) {
      await storm[Symbol.asyncDispose]()
      throw error
    }
    return storm
  }

  /** All that Storm and the components have logged. */
  get output(): string {
    return this.#output
  }

  /** Undefined while it runs. */
  get exitCode(): number | null | undefined {
    return this.#exitCode
  }

  /** Resolves when Storm has logged this. */
  printed(what: RegExp, timeoutMs: number): Promise<void> {
    return this.until(() => what.test(this.#output), `it has printed ${what}`, timeoutMs)
  }

  /** Resolves when this is so; rejects with Storm's output when Storm has ended, or it is not so in time. */
  async until(isSo: () => boolean, what: string, timeoutMs: number): Promise<void> {
    const endsAt = performance.now() + timeoutMs
    while (!isSo()) {
      const end = this.#exitCode === undefined ? undefined : `Storm has ended (${this.#exitCode})`
      if (end !== undefined || performance.now() > endsAt) {
        throw new Error(
          `${end ?? `not in ${timeoutMs} ms`}: ${what}\n${this.#output.slice(-8_000)}`,
        )
      }
      await new Promise((done) => setTimeout(done, 50))
    }
  }

  async command(line: 'activate' | 'deactivate'): Promise<void> {
    const seen = this.#output.length
    this.#child.stdin.write(`${line}\n`)
    await this.until(() => this.#output.includes(`DONE ${line}`, seen), line, PATIENCE_MS)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.stdin.end()
    const kill = setTimeout(() => this.#child.kill('SIGKILL'), PATIENCE_MS)
    await this.#ended
    clearTimeout(kill)
    this.#folder[Symbol.dispose]()
  }
}

/** One CommonJS file with all that the topology needs, as a jar's `resources` have it. */
export async function bundleTopology(file: string, outfile: string): Promise<void> {
  await build({
    entryPoints: [file],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    sourcemap: 'inline',
    logLevel: 'error',
  })
}

interface Description {
  readonly name: string
  readonly config: Readonly<Record<string, unknown>>
  readonly topology: unknown
}

export async function describeTopology(bundle: string): Promise<Description> {
  const ran = await runCommand(process.execPath, [bundle], { env: { SAMSA_STORM_DESCRIBE: '1' } })
  if (ran.exitCode !== 0) throw new Error(ran.stderr)
  return JSON.parse(ran.stdout.toString()) as Description
}
