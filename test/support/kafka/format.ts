import { randomBytes } from 'node:crypto'
import { cp, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { cacheFolder } from './cache.ts'
import { JavaProcess } from './java.ts'
import { startupError } from './startup-error.ts'
import { waitFor } from './wait.ts'
import { PATIENCE_MS } from '../patience.ts'

const META = 'meta.properties'

/** KRaft's form of a UUID: 22 characters. A leading dash would look like an option. */
export function newId(): string {
  const id = randomBytes(16).toString('base64url')
  return id.startsWith('-') ? newId() : id
}

export interface FormatOptions {
  readonly version: string
  readonly roles: readonly string[]
  readonly libs: string
  readonly folder: string
  readonly dataFolder: string
  readonly clusterId: string
  readonly nodeId: number
  readonly config: Readonly<Record<string, string>>
  /** Names the first voters, if the quorum is dynamic. */
  readonly quorum: '--standalone' | '--no-initial-controllers' | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * What `kafka.tools.StorageTool format` does before a node's first start. The tool is a JVM start
 * of its own; but all that depends on the version are the files with its features, so those are
 * kept for the next time and the rest, meta.properties, is written here.
 */
export async function formatStorage(options: FormatOptions): Promise<void> {
  const { version, roles, dataFolder, clusterId, nodeId } = options
  // These decide which features are on, or where the files go.
  const isUnusual =
    options.quorum !== undefined ||
    Object.keys(options.config).some((key) => key.startsWith('unstable.') || key === 'log.dirs')
  const kept = join(cacheFolder(), `kafka-${version}-format-${roles.join('-')}`)
  if (isUnusual || !existsSync(kept)) {
    await runStorageTool(options)
    if (!isUnusual) await keep(dataFolder, kept)
    return
  }
  // A cache that is a link must not become the broker's own folder.
  await cp(kept, dataFolder, { recursive: true, dereference: true })
  await writeFile(
    join(dataFolder, META),
    `version=1\ncluster.id=${clusterId}\nnode.id=${nodeId}\ndirectory.id=${newId()}\n`,
  )
}

async function keep(dataFolder: string, kept: string): Promise<void> {
  const copy = await mkdtemp(`${kept}.part-`)
  await cp(dataFolder, copy, { recursive: true })
  await rm(join(copy, META))
  // If someone else was first, theirs is as good.
  await rename(copy, kept).catch(() => rm(copy, { recursive: true, force: true }))
}

async function runStorageTool({
  libs,
  folder,
  clusterId,
  quorum,
  signal,
}: FormatOptions): Promise<void> {
  const java = new JavaProcess({
    name: 'StorageTool',
    libs,
    mainClass: 'kafka.tools.StorageTool',
    arguments: [
      ...['format', '-t', clusterId, '-c', 'server.properties'],
      ...(quorum === undefined ? [] : [quorum]),
    ],
    jvmArguments: ['-XX:TieredStopAtLevel=1', '-Xshare:auto'],
    folder,
    logFile: join(folder, 'format.log'),
  })
  try {
    const ended = await waitFor(() => java.ended, {
      timeoutMs: PATIENCE_MS,
      signal,
      onTimeout: () => startupError(java, 'has not ended for 60 s'),
    })
    if (ended !== 'exit code 0') throw startupError(java, `failed (${ended})`)
  } finally {
    await java.stop(0)
  }
}
