/**
 * Tells a process from others that have or had its number: numbers are used again, and in a container the
 * successor of a process often has the same one.
 */
import { readFileSync } from 'node:fs'

export interface ProcessIdentity {
  readonly pid: number
  /** When it was started, in a unit of the system's own; UNKNOWN where the system doesn't tell. */
  readonly birth: string
}

const UNKNOWN = '-'
/** Fields of /proc/<pid>/stat behind the program's name: the state, and the start in clock ticks since boot. */
const STATE_FIELD = 0
const START_FIELD = 19
/** A zombie has ended; its parent has not asked for its exit code yet. */
const ENDED_STATES = ['Z', 'X']

export function thisProcess(): ProcessIdentity {
  return { pid: process.pid, birth: statOf(process.pid)?.birth ?? UNKNOWN }
}

/** True in case of doubt: where only the number is known, a process that has it counts. */
export function isRunning({ pid, birth }: ProcessIdentity): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    // Another user's process runs, too.
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
  // The program's name is in brackets, and may hold any character: count from behind it.
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
