import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'

/**
 * When a process started, in whatever form the system says it: with the pid, it tells a process
 * from a later one that was given the same pid. Nothing for a process that is gone, even if its
 * parent has not yet taken notice (a zombie).
 */
export function processBirth(pid: number): string | undefined {
  try {
    return existsSync('/proc/self/stat') ? birthInProc(pid) : birthByPs(pid)
  } catch {
    return undefined
  }
}

export function isProcessAlive(pid: number): boolean {
  return processBirth(pid) !== undefined
}

function birthInProc(pid: number): string | undefined {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The second field, the name, may hold spaces; from the third on: the state, …, the start time.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields[0] === 'Z' ? undefined : fields[19]
}

function birthByPs(pid: number): string | undefined {
  const text = execFileSync('ps', ['-o', 'state=,lstart=', '-p', String(pid)], { encoding: 'utf8' })
  const [state, ...start] = text.trim().split(/\s+/)
  return state === undefined || state.startsWith('Z') ? undefined : start.join(' ')
}
