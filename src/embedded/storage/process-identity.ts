/**
 * Distinguishes a process from others that have or had its number: systems reuse numbers, and in a
 * container the successor of a process often has the same one.
 */
import { readFileSync } from 'node:fs'

export interface ProcessIdentity {
  readonly pid: number
  /** When it was started, in a unit of the system; UNKNOWN if the system does not report it. */
  readonly birth: string
}

const UNKNOWN = '-'
/**
 * Fields of /proc/<pid>/stat after the program's name: the state, and the start in clock ticks
 * since boot.
 */
const STATE_FIELD = 0
const START_FIELD = 19
/** A zombie has ended; its parent has not read its exit code yet. */
const ENDED_STATES = ['Z', 'X']

export function thisProcess(): ProcessIdentity {
  return { pid: process.pid, birth: statOf(process.pid)?.birth ?? UNKNOWN }
}

/** Whether the process runs. If only its number is known, any process with this number counts. */
export function isRunning({ pid, birth }: ProcessIdentity): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    // EPERM: the process runs, but belongs to another user.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  const now = statOf(pid)
  if (now === undefined) return true
  if (ENDED_STATES.includes(now.state)) return false
  return birth === UNKNOWN || birth === now.birth
}

function statOf(pid: number): { readonly state: string; readonly birth: string } | undefined {
  const stat = textOf(`/proc/${pid}/stat`)
  if (stat === undefined) return undefined
  // The program's name is in brackets, and may contain any character: count from its end.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [state, birth] = [fields[STATE_FIELD], fields[START_FIELD]]
  return state === undefined || birth === undefined ? undefined : { state, birth }
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
