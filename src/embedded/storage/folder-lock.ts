/**
 * The lock of a data folder. Node has no file locks that end with their process, so a process claims the folder
 * with a file whose name no other claim ever has:
 *
 *     lock.<process>.<its birth>.<random id>
 *
 * It creates its claim first, then lists the others. Any process can delete a claim of a process
 * that no longer runs at any time, because its name cannot belong to a live claim. If no live claim
 * is left, the process takes the folder. Of two processes, at least one lists after the other has
 * claimed, so two never take the folder. If both see each other, the claim with the larger id
 * withdraws, and the other waits until it has.
 *
 * `lock` names the claim that holds the folder. Only its holder writes it.
 */
import { randomUUID } from 'node:crypto'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { EmbeddedClusterError } from '../embedded-cluster-error.ts'
import { isRunning, thisProcess, type ProcessIdentity } from './process-identity.ts'

const LOCK = 'lock'
const CLAIM = /^lock\.(\d+)\.([^.]+)\.([\da-f-]+)$/
/** How long to wait for a process that has claimed the folder, and neither took it nor withdrew. */
const WAIT_MS = 10_000
const POLL_MS = 2

interface Claim {
  readonly id: string
  readonly process: ProcessIdentity
  readonly file: string
}

export class FolderLock {
  readonly #files: readonly string[]

  private constructor(files: readonly string[]) {
    this.#files = files
  }

  /** Throws EmbeddedClusterError if a running process has the folder, or is about to take it. */
  static take(folder: string): FolderLock {
    const lock = join(folder, LOCK)
    const claim = newClaim(folder)
    try {
      waitForOthers(folder, claim)
      const holder = holderOf(folder)
      // The holder has no claim: it is an older samsa, or the claim was deleted by hand.
      if (holder !== undefined && isRunning(holder.process)) throw inUse(folder, holder.process)
      const { pid, birth } = claim.process
      writeFileSync(lock, `${pid} ${birth} ${claim.id}\n`)
      return new FolderLock([lock, claim.file])
    } catch (error) {
      rmSync(claim.file, { force: true })
      throw error
    }
  }

  /** The claim is deleted last: until then no other process writes `lock`. */
  release(): void {
    for (const file of this.#files) rmSync(file, { force: true })
  }
}

function newClaim(folder: string): Claim {
  const id = randomUUID()
  const process = thisProcess()
  const file = join(folder, `${LOCK}.${process.pid}.${process.birth}.${id}`)
  writeFileSync(file, '', { flag: 'wx' })
  return { id, process, file }
}

/** Returns when no other process claims the folder. Throws EmbeddedClusterError. */
function waitForOthers(folder: string, claim: Claim): void {
  for (let waitedMs = 0; ; waitedMs += POLL_MS) {
    const rivals = liveClaims(folder).filter(({ id }) => id !== claim.id)
    const [first] = rivals
    if (first === undefined) return
    const holderId = holderOf(folder)?.id
    const winner = rivals.find(({ id }) => id === holderId || id < claim.id)
    if (winner !== undefined) throw inUse(folder, winner.process)
    if (waitedMs >= WAIT_MS) throw inUse(folder, first.process)
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, POLL_MS)
  }
}

/** Deletes those of processes that no longer run. */
function liveClaims(folder: string): readonly Claim[] {
  const claims = readdirSync(folder).flatMap((name) => {
    const [, pid, birth, id] = CLAIM.exec(name) ?? []
    if (pid === undefined || birth === undefined || id === undefined) return []
    return [{ id, process: { pid: Number(pid), birth }, file: join(folder, name) }]
  })
  return claims.filter((claim) => {
    const isLive = isRunning(claim.process)
    if (!isLive) rmSync(claim.file, { force: true })
    return isLive
  })
}

/** The content of `lock`; undefined if there is none, or if it is invalid. */
function holderOf(folder: string) {
  let text: string
  try {
    text = readFileSync(join(folder, LOCK), 'utf8')
  } catch {
    return undefined
  }
  const [, pid, birth, id] = /^(\d+) (\S+)(?: (\S+))?\n$/.exec(text) ?? []
  if (pid === undefined || birth === undefined) return undefined
  return { process: { pid: Number(pid), birth }, id }
}

function inUse(folder: string, { pid }: ProcessIdentity): EmbeddedClusterError {
  return new EmbeddedClusterError(
    'DATA_FOLDER_IN_USE',
    `process ${pid} uses ${folder}: end this process, or use another folder`,
  )
}
