import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cacheFolder } from './cache.ts'
import { stopProcess } from './java.ts'
import { processBirth } from './process-birth.ts'
import { KAFKA_VERSIONS } from './versions.ts'

/** What `npm run kafka -- up` left running, kept in a file so that `down` ends that and no more. */
export interface RunningCluster {
  readonly version: string
  readonly hosts: string
  readonly zookeeperHosts: string | undefined
  readonly folder: string
  /** In the order in which they are to be stopped. */
  readonly groups: readonly (readonly RunningProcess[])[]
}

export interface RunningProcess {
  readonly pid: number
  /** Tells this process from a later one with the same pid. */
  readonly birth: string
}

export function runningProcess(pid: number): RunningProcess {
  return { pid, birth: processBirth(pid) ?? '' }
}

export function isRunning({ pid, birth }: RunningProcess): boolean {
  return birth !== '' && processBirth(pid) === birth
}

function stateFolder(): string {
  return join(cacheFolder(), 'running')
}

function stateFile(version: string): string {
  return join(stateFolder(), `${version}.json`)
}

export async function remember(cluster: RunningCluster): Promise<void> {
  await mkdir(stateFolder(), { recursive: true })
  const file = stateFile(cluster.version)
  await writeFile(`${file}.${process.pid}`, JSON.stringify(cluster, undefined, 2))
  await rename(`${file}.${process.pid}`, file)
}

/** What was started of this version; it may have ended since. */
export async function recall(version: string): Promise<RunningCluster | undefined> {
  const file = stateFile(version)
  if (!existsSync(file)) return undefined
  const cluster: unknown = JSON.parse(await readFile(file, 'utf8'))
  if (!isRunningCluster(cluster)) throw new Error(`${file} is damaged: remove it`)
  return cluster
}

export async function recallAll(): Promise<RunningCluster[]> {
  const files = existsSync(stateFolder()) ? await readdir(stateFolder()) : []
  const versions = KAFKA_VERSIONS.filter((version) => files.includes(`${version}.json`))
  const clusters = await Promise.all(versions.map(recall))
  return clusters.filter((cluster) => cluster !== undefined)
}

/** Ends what is left of the cluster (at once: its data is removed), and forgets it. */
export async function stopRunning({ version, groups, folder }: RunningCluster): Promise<void> {
  for (const group of groups) {
    await Promise.all(group.map((one) => stopProcess(one.pid, () => isRunning(one), 0)))
  }
  await rm(folder, { recursive: true, force: true })
  await rm(stateFile(version), { force: true })
}

function isRunningCluster(value: unknown): value is RunningCluster {
  return (
    typeof value === 'object' &&
    value !== null &&
    'version' in value &&
    'hosts' in value &&
    'folder' in value &&
    typeof value.folder === 'string' &&
    'groups' in value &&
    Array.isArray(value.groups)
  )
}
