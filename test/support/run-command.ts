import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { builtCommand } from './built.ts'
import { PATIENCE_MS } from './patience.ts'

export interface CommandResult {
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: Buffer
  readonly stderr: string
  readonly tookMs: number
}

export interface CommandOptions {
  /** Its standard input; empty by default. */
  readonly input?: Buffer | string
  readonly timeoutMs?: number
  /** On top of the variables of this process. */
  readonly env?: Readonly<Record<string, string>>
  /** Where it runs; this process's folder by default. */
  readonly cwd?: string
}

/** Runs a program to its end. One that takes too long is killed, which `signal` then says. */
export async function runCommand(
  command: string,
  args: readonly string[],
  { input = '', timeoutMs = PATIENCE_MS, env = {}, cwd = '.' }: CommandOptions = {},
): Promise<CommandResult> {
  const startedAt = performance.now()
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: 'pipe',
  })
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs)
  const stdout: Buffer[] = []
  const stderr: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
  // A program that fails stops reading.
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  try {
    return await new Promise((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (exitCode, signal) =>
        resolve({
          exitCode,
          signal,
          stdout: Buffer.concat(stdout),
          stderr: Buffer.concat(stderr).toString(),
          tookMs: performance.now() - startedAt,
        }),
      )
    })
  } finally {
    clearTimeout(timer)
  }
}

/** Runs the built `samsa` command. */
export function samsa(args: readonly string[], options?: CommandOptions): Promise<CommandResult> {
  return runCommand(process.execPath, [builtCommand(), ...args], options)
}

/** Standard output of a program that must succeed, and say nothing else. */
export async function outputOf(running: Promise<CommandResult>): Promise<Buffer> {
  const { exitCode, signal, stdout, stderr } = await running
  if (exitCode !== 0 || stderr !== '') {
    throw new Error(`It ended with ${signal ?? `exit code ${exitCode}`}: ${stderr}`)
  }
  return stdout
}

export function sha256(data: Buffer | string): string {
  return createHash('sha256').update(data).digest('hex')
}
