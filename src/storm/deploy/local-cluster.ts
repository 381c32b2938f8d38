/** A complete Storm in one JVM, with a real Nimbus. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { StormError } from '../errors.ts'
import { LOCAL_NIMBUS } from '../java/classes.ts'
import type { Address } from '../thrift/connection.ts'
import { findJava, stormClassPath } from './java.ts'
import { eachLine } from './lines.ts'

export interface LocalClusterOptions {
  /**
   * The folder comes first on the class path, where workers of the same JVM look for `resources`.
   */
  readonly jar: Uint8Array
  readonly variables: Readonly<Record<string, string | undefined>>
  /** The maximum number of workers. Default: 1. */
  readonly slots?: number
  /** Whether Storm's own log is shown in addition to that of the components. Default: false. */
  readonly isVerbose?: boolean
  /** Called with each line that Storm and the components print. */
  readonly onLine: (line: string) => void
}

const HOST = '127.0.0.1'
const START_TIMEOUT_MS = 120_000
/** The time from the end of its input to the end of the JVM; after that it is killed. */
const STOP_TIMEOUT_MS = 20_000
const JVM = ['-Xmx512m', '-XX:TieredStopAtLevel=1', '-Djava.net.preferIPv4Stack=true']

export class LocalCluster implements AsyncDisposable {
  readonly nimbus: Address
  /** Resolves with the exit code when the JVM has ended. */
  readonly ended: Promise<number | null>
  readonly #child: ChildProcessWithoutNullStreams
  readonly #folder: string
  #onReady: () => void = () => undefined

  private constructor(
    child: ChildProcessWithoutNullStreams,
    folder: string,
    port: number,
    onLine: (line: string) => void,
  ) {
    this.nimbus = { host: HOST, port }
    this.#child = child
    this.#folder = folder
    const take = (line: string): void => {
      if (line === `READY ${port}`) this.#onReady()
      else onLine(line)
    }
    eachLine(child.stdout, take)
    eachLine(child.stderr, take)
    // Emitted if it is written to after the JVM has ended.
    child.stdin.on('error', () => undefined)
    this.ended = new Promise((resolve) => {
      child.on('error', () => resolve(null))
      child.on('close', (code) => resolve(code))
    })
  }

  /** Resolves when Nimbus responds. Throws StormError. */
  static async start(options: LocalClusterOptions): Promise<LocalCluster> {
    const { jar, variables, slots = 1, isVerbose = false, onLine } = options
    const libs = stormClassPath(variables)
    const java = await findJava(variables)
    const port = await freePort()
    const folder = await mkdtemp(join(tmpdir(), 'sparse-'))
    const jarFile = join(folder, 'topology.jar')
    const classes = join(folder, 'classes')
    const classFile = join(classes, LOCAL_NIMBUS.path)
    await mkdir(dirname(classFile), { recursive: true })
    await writeFile(jarFile, jar)
    await writeFile(classFile, Buffer.from(LOCAL_NIMBUS.base64, 'base64'))
    await writeFile(join(folder, 'log4j2.xml'), logging(isVerbose))
    const args = [
      ...JVM,
      `-Dlog4j2.configurationFile=${join(folder, 'log4j2.xml')}`,
      `-Djava.io.tmpdir=${folder}`,
      ...['-cp', [jarFile, classes, ...libs].join(delimiter)],
      ...['samsa.storm.LocalNimbus', String(port), String(slots)],
    ]
    // In its own process group: Ctrl-C on the terminal reaches only this process, which ends Storm
    // in order.
    const child = spawn(java, args, { env: { ...process.env, ...variables }, detached: true })
    const cluster = new LocalCluster(child, folder, port, onLine)
    let late: NodeJS.Timeout | undefined
    const problem = await Promise.race([
      new Promise<undefined>((resolve) => (cluster.#onReady = () => resolve(undefined))),
      cluster.ended.then((code) => `ended with exit code ${code}: see its output`),
      new Promise<string>((resolve) => {
        const text = `was not ready after ${START_TIMEOUT_MS / 1000} s`
        late = setTimeout(() => resolve(text), START_TIMEOUT_MS)
      }),
    ])
    clearTimeout(late)
    if (problem === undefined) return cluster
    await cluster[Symbol.asyncDispose]()
    throw new StormError('TOPOLOGY_FAILED', `Storm in one JVM ${problem}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.stdin.end()
    const kill = setTimeout(() => this.#child.kill('SIGKILL'), STOP_TIMEOUT_MS)
    await this.ended
    clearTimeout(kill)
    this.#endGroup()
    await rm(this.#folder, { recursive: true, force: true })
  }

  /** Ends the processes of components: one that never returns does not notice that Storm has ended. */
  #endGroup(): void {
    try {
      if (this.#child.pid !== undefined) process.kill(-this.#child.pid, 'SIGKILL')
    } catch {
      // All processes have ended.
    }
  }
}

/** Shows the components' log, and errors. */
function logging(isVerbose: boolean): string {
  return `<configuration>
  <appenders>
    <Console name="out" target="SYSTEM_OUT"><PatternLayout pattern="%d{HH:mm:ss.SSS} %-5p %c{1} %msg%n"/></Console>
  </appenders>
  <loggers>
    <logger name="org.apache.storm.task.ShellBolt" level="info"/>
    <logger name="org.apache.storm.spout.ShellSpout" level="info"/>
    <root level="${isVerbose ? 'info' : 'warn'}"><appender-ref ref="out"/></root>
  </loggers>
</configuration>
`
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, HOST)
  await new Promise<void>((resolve) => server.once('listening', () => resolve()))
  // The message of a server on a TCP port.
  const { port } = server.address() as AddressInfo
  await new Promise<void>((resolve) => server.close(() => resolve()))
  return port
}
