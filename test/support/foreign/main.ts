/**
 * Runs the transaction tests of other clients against embedded clusters: `npm run test:foreign-transactions`, with
 * names of suites to run only those. The repositories stay in the cache of the tests. SAMSA_FOREIGN_SOURCES is a folder
 * with their Git directories (`kafkajs`, `platformatic/kafka`), for machines that cannot reach GitHub.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { EmbeddedCluster } from '../../../src/embedded/index.ts'
import { cacheFolder, withCacheLock } from '../kafka/cache.ts'
import { SUITES, type Suite } from './suites.ts'

const LOCK_WAIT_MS = 15 * 60_000
const BROKERS = 3

/** Package names with their versions, in a package.json. */
type Dependencies = Partial<
  Record<'dependencies' | 'devDependencies' | 'optionalDependencies', Record<string, string>>
>

/** Resolves with the exit code. */
async function run(
  folder: string,
  [program = '', ...args]: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<number> {
  const env = { ...process.env, ...environment }
  const child = spawn(program, args, { cwd: folder, env, stdio: 'inherit' })
  const [code] = (await once(child, 'exit')) as [number | null]
  return code ?? 1
}

async function must(folder: string, command: readonly string[]): Promise<void> {
  const code = await run(folder, command)
  if (code !== 0) throw new Error(`${command.join(' ')} has failed with exit code ${code}`)
}

function sourceOf({ name, repository }: Suite): string {
  const folder = process.env['SAMSA_FOREIGN_SOURCES']
  return folder === undefined ? repository : join(folder, name.replace('@', ''))
}

/** The tests at their commit, without changes, and the packages that they import. */
async function fetched(suite: Suite): Promise<string> {
  const { name, commit } = suite
  const folder = join(cacheFolder(), `foreign-${name.replace(/\W/g, '')}-${commit.slice(0, 8)}`)
  await mkdir(folder, { recursive: true })
  await must(folder, ['git', 'init', '--quiet'])
  await must(folder, ['git', 'fetch', '--quiet', '--depth', '1', sourceOf(suite), commit])
  await must(folder, ['git', 'checkout', '--quiet', '--force', commit])
  await install(folder, suite)
  return folder
}

/** What the package.json of a suite would install and run beside the packages of the tests. */
const LEFT_OUT = ['dependencies', 'devDependencies', 'optionalDependencies', 'scripts']
const LOCK_FILES = ['package-lock.json', 'yarn.lock', 'pnpm-lock.yaml']

/** Only the packages that the tests import: others need compilers. */
async function install(folder: string, { packages }: Suite): Promise<void> {
  const file = join(folder, 'package.json')
  const own = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown> & Dependencies
  const ranges = { ...own.optionalDependencies, ...own.devDependencies, ...own.dependencies }
  const wanted = packages.map((name) => (name in ranges ? `${name}@${ranges[name]}` : name))
  const rest = Object.entries(own).filter(([field]) => !LEFT_OUT.includes(field))
  await writeFile(file, JSON.stringify(Object.fromEntries(rest)))
  for (const lock of LOCK_FILES) await rm(join(folder, lock), { force: true })
  await must(folder, ['npm', 'install', '--no-audit', '--no-fund', '--legacy-peer-deps', ...wanted])
}

/** Puts the addresses of the cluster into the tests. Its brokers have no IPv6 addresses. */
async function direct(folder: string, { addresses }: Suite, kafka: EmbeddedCluster): Promise<void> {
  const file = join(folder, addresses.file)
  const text = await readFile(file, 'utf8')
  const ports = new Map(addresses.ports.map((port, index) => [port, kafka.ports[index]]))
  for (const port of addresses.ports) {
    if (!text.includes(port)) throw new Error(`${file} does not contain the port ${port}`)
  }
  const directed = text
    .replace(new RegExp(`\\b(?:${addresses.ports.join('|')})\\b`, 'g'), (port) =>
      String(ports.get(port)),
    )
    .replaceAll(/\blocalhost\b/g, '127.0.0.1')
  await writeFile(file, directed)
}

async function test(suite: Suite): Promise<boolean> {
  const folder = await fetched(suite)
  await using kafka = await EmbeddedCluster.start({ version: suite.version, brokers: BROKERS })
  await direct(folder, suite, kafka)
  console.log(`\n${suite.name} at ${suite.commit.slice(0, 8)}, Kafka ${suite.version}`)
  return (await run(folder, suite.command, suite.environment)) === 0
}

const chosen = process.argv.slice(2)
const unknown = chosen.filter((name) => !SUITES.some((suite) => suite.name === name))
if (unknown.length > 0) throw new Error(`There is no suite ${unknown.join(', ')}`)
const failed: string[] = []
for (const suite of SUITES) {
  if (chosen.length > 0 && !chosen.includes(suite.name)) continue
  const isPassed = await withCacheLock('foreign', { timeoutMs: LOCK_WAIT_MS }, () => test(suite))
  if (!isPassed) failed.push(suite.name)
}
if (failed.length > 0) {
  console.error(`Tests have failed: ${failed.join(', ')}`)
  process.exitCode = 1
}
