/**
 * A file that says which process uses a folder. A process that was killed leaves it behind: it is taken
 * over then. The number of a process may have gone to another meanwhile, in a container even to its own
 * successor: where the system tells when a process was born, that has to fit as well.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { EmbeddedClusterError } from '../embedded-cluster-error.ts'

export class FolderLock {
  readonly #file: string

  private constructor(file: string) {
    this.#file = file
  }

  /** Throws EmbeddedClusterError where a process that runs has it. */
  static take(file: string, folder: string): FolderLock {
    for (;;) {
      try {
        writeFileSync(file, `${process.pid} ${birthOf(process.pid) ?? '-'}\n`, { flag: 'wx' })
        return new FolderLock(file)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      }
      const holder = holderOf(file)
      if (holder !== undefined && isRunning(holder)) {
        throw new EmbeddedClusterError(
          'DATA_FOLDER_IN_USE',
          `${folder} is used by process ${holder.pid}: end that, or take another folder`,
        )
      }
      takeAway(file)
    }
  }

  release(): void {
    rmSync(this.#file, { force: true })
  }
}

interface Holder {
  readonly pid: number
  readonly birth: string
}

/** Undefined where it is gone, or holds nothing that makes sense. */
function holderOf(file: string): Holder | undefined {
  const [, pid, birth] = /^(\d+) (\S+)\n$/.exec(textOf(file) ?? '') ?? []
  return pid === undefined || birth === undefined ? undefined : { pid: Number(pid), birth }
}

/** By renaming, which only one of several can do. */
function takeAway(file: string): void {
  const aside = `${file}.${process.pid}`
  try {
    renameSync(file, aside)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  rmSync(aside, { force: true })
}

function isRunning({ pid, birth }: Holder): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    // Somebody else's process runs, too.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  const now = birthOf(pid)
  return now === undefined || now === birth
}

/** When the process was started, in a unit of the system's own; undefined where it doesn't tell. */
function birthOf(pid: number): string | undefined {
  // The second field is the program's name, and may hold anything: count from behind it.
  const stat = textOf(`/proc/${pid}/stat`)
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
