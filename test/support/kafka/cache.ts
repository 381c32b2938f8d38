import { existsSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { isProcessAlive } from './process-birth.ts'
import { hasCode, waitFor } from './wait.ts'

/** Outside the repository, so that a fresh checkout need not download everything again. */
export function cacheFolder(): string {
  const own = process.env['SAMSA_CACHE']
  if (own) return own
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'samsa')
}

/**
 * One process at a time does `work` for this lock's name. The lock only saves double work: what
 * is cached is put in place by a rename, which is safe without it, so a lock that was left behind
 * by a process that died is simply taken over.
 */
export async function withCacheLock<T>(
  name: string,
  options: { timeoutMs: number; signal?: AbortSignal | undefined },
  work: () => Promise<T>,
): Promise<T> {
  await mkdir(cacheFolder(), { recursive: true })
  const file = join(cacheFolder(), `${name}.lock`)
  const claim = async (): Promise<true | undefined> => {
    try {
      await writeFile(file, String(process.pid), { flag: 'wx' })
      return true
    } catch (error) {
      if (!hasCode(error, 'EEXIST')) throw error
    }
    if (!(await isHeld(file))) await rm(file, { force: true })
    return undefined
  }
  await waitFor(claim, {
    ...options,
    everyMs: 200,
    onTimeout: () => new Error(`Another process has held ${file} for too long`),
  })
  try {
    return await work()
  } finally {
    await rm(file, { force: true })
  }
}

async function isHeld(file: string): Promise<boolean> {
  if (!existsSync(file)) return false
  const text = await readFile(file, 'utf8').catch(() => '')
  // An empty file is one whose owner has created it and not yet written its pid.
  return text === '' || isProcessAlive(Number(text))
}
