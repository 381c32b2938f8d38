import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cacheFolder, withCacheLock } from './cache.ts'
import { kafkaVersion } from './versions.ts'
import { hasCode } from './wait.ts'

export interface DownloadOptions {
  readonly onProgress?: ((text: string) => void) | undefined
  readonly signal?: AbortSignal | undefined
  readonly timeoutMs?: number
}

const TEN_MINUTES_MS = 600_000
/** A server that is silent for a minute is asked again; Maven waits for half an hour otherwise. */
const PATIENCE = [
  '-Dmaven.wagon.rto=60000',
  '-Dmaven.wagon.http.retryHandler.count=3',
  '-Daether.connector.requestTimeout=60000',
]

/** The folder of jars that make up a whole broker of this version, fetched when first asked for. */
export async function kafkaLibs(version: string, options: DownloadOptions = {}): Promise<string> {
  const { scala, extraJars } = kafkaVersion(version)
  return mavenJars(
    `kafka-${version}`,
    [`org.apache.kafka:kafka_${scala}:${version}`, ...extraJars],
    options,
  )
}

/** The folder of Kafka's own command line tools, and of the clients that come with them. */
export function kafkaTools(options: DownloadOptions = {}): Promise<string> {
  const version = '4.3.1'
  const artifacts = ['kafka-tools', 'kafka_2.13']
  const coordinates = artifacts.map((artifact) => `org.apache.kafka:${artifact}:${version}`)
  return mavenJars(`kafka-tools-${version}`, coordinates, options)
}

/**
 * The folder of these jars (`group:artifact:version`) and all they need at run time. `name` is the
 * folder's in the cache; other coordinates under the same name are fetched again.
 */
export async function mavenJars(
  name: string,
  coordinates: readonly string[],
  options: DownloadOptions = {},
): Promise<string> {
  const target = join(cacheFolder(), name)
  const pom = pomFor(name, coordinates)
  if (await holds(target, pom)) return target
  const { signal, timeoutMs = TEN_MINUTES_MS } = options
  // Maven's own repository isn't made for two processes at once, whatever they fetch.
  return withCacheLock('download', { signal, timeoutMs }, async () => {
    if (await holds(target, pom)) return target
    options.onProgress?.(`Fetching ${coordinates.join(', ')}`)
    const folder = await mkdtemp(`${target}.part-`)
    try {
      await writeFile(join(folder, 'pom.xml'), pom)
      await runMaven(name, folder, timeoutMs, signal)
      await rm(join(folder, 'target'), { recursive: true, force: true })
      await replaceFolder(folder, target, pom)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
    return target
  })
}

/** The pom lies with the jars it has fetched: it says whether they are the ones asked for. */
async function holds(folder: string, pom: string): Promise<boolean> {
  const file = join(folder, 'pom.xml')
  return existsSync(file) && (await readFile(file, 'utf8')) === pom
}

async function replaceFolder(source: string, target: string, pom: string): Promise<void> {
  if (existsSync(target)) {
    const old = await mkdtemp(`${target}.old-`)
    await rename(target, join(old, 'jars'))
    await rm(old, { recursive: true, force: true })
  }
  try {
    await rename(source, target)
  } catch (error) {
    // Someone else was first: fine if it is the same.
    if (!(await holds(target, pom))) throw error
  }
}

function pomFor(name: string, coordinates: readonly string[]): string {
  const dependencies = coordinates.map((text) => {
    const [group, artifact, version] = text.split(':')
    if (!group || !artifact || !version) {
      throw new Error(`"${text}" is not of the form group:artifact:version`)
    }
    return `    <dependency>
      <groupId>${group}</groupId>
      <artifactId>${artifact}</artifactId>
      <version>${version}</version>
    </dependency>`
  })
  return `<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>samsa.test</groupId>
  <artifactId>${name}</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
${dependencies.join('\n')}
  </dependencies>
</project>
`
}

async function runMaven(
  name: string,
  folder: string,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  // Not spawn's own `timeout`: when there is no mvn, its timer would keep us from ending.
  const timeout = AbortSignal.timeout(timeoutMs)
  const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime', '-DoutputDirectory=.']
  const child = spawn('mvn', ['-q', '-B', '-U', ...PATIENCE, ...goal], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
  })
  let output = ''
  const append = (chunk: Buffer) => (output += chunk.toString())
  child.stdout.on('data', append)
  child.stderr.on('data', append)
  const ended = await new Promise<string | undefined>((resolve, reject) => {
    child.on('error', (error) => {
      const missing = 'Maven is missing: put "mvn" on the PATH (and Java, which it needs)'
      const late = `Maven has not fetched ${name} in ${timeoutMs} ms`
      if (hasCode(error, 'ENOENT')) reject(new Error(missing))
      else reject(timeout.aborted ? new Error(late) : error)
    })
    child.on('close', (code, killedBy) =>
      resolve(code === 0 ? undefined : killedBy ? `ended by ${killedBy}` : `exit code ${code}`),
    )
  })
  if (ended === undefined) return
  const last = output.trimEnd().split('\n').slice(-15).join('\n')
  throw new Error(`Maven could not fetch ${name} (${ended}):\n${last}`)
}
