import { spawn, type ChildProcess } from 'node:child_process'
import { Socket } from 'node:net'

/**
 * Ends other processes when this process ends, however it ends: a tiny shell reads the list of
 * pids from a pipe, and the end of the pipe is the end of us. An 'exit' handler would be simpler,
 * but doesn't run when we are killed, nor inside Jest, whose `process` is a copy.
 */
const SCRIPT = 'pids=; while read -r line; do pids=$line; done; [ -z "$pids" ] || kill -9 $pids'

const guarded = new Set<number>()
let shell: ChildProcess | undefined

export function guard(pid: number): void {
  guarded.add(pid)
  publish()
}

/** From now on this process may outlive us (or it has ended already). */
export function unguard(pid: number): void {
  if (guarded.delete(pid)) publish()
}

/** The child ends when this process ends, also if this process is killed. */
export function guardChild(child: ChildProcess): void {
  const { pid } = child
  if (pid === undefined) return
  guard(pid)
  child.on('exit', () => unguard(pid))
}

function publish(): void {
  shell ??= startShell()
  shell.stdin?.write(`${[...guarded].join(' ')}\n`)
  if (guarded.size > 0) return
  shell.stdin?.end()
  shell = undefined
}

function startShell(): ChildProcess {
  // Its own session: a Ctrl-C in the terminal must not end it before us.
  const child = spawn('sh', ['-c', SCRIPT], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  child.unref()
  child.on('error', () => undefined)
  child.stdin.on('error', () => undefined)
  if (child.stdin instanceof Socket) child.stdin.unref()
  return child
}
