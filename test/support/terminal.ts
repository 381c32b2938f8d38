import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { existsSync, readlinkSync } from 'node:fs'
import { builtCommand } from './built.ts'
import { until } from './until.ts'

export interface TerminalOptions {
  readonly columns?: number
  readonly rows?: number
  readonly env?: Readonly<Record<string, string>>
}

/** Whether a program that makes terminals is there: `script` of util-linux, which Debian always has. */
export function hasTerminals(): boolean {
  return process.platform === 'linux' && existsSync('/usr/bin/script')
}

/** The built command in a terminal of its own: what a person would type goes in, what a terminal would get comes out. */
export class TerminalSession implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #ended: Promise<number | null>
  output = ''

  constructor(
    args: readonly string[],
    { columns = 80, rows = 24, env = {} }: TerminalOptions = {},
  ) {
    const quoted = [process.execPath, builtCommand(), ...args].map(
      (one) => `'${one.replaceAll("'", `'\\''`)}'`,
    )
    // The first line names the process, for signals.
    const line = `stty cols ${columns} rows ${rows}; echo "pid $$"; exec ${quoted.join(' ')}`
    this.#child = spawn('/usr/bin/script', ['-qfec', line, '/dev/null'], {
      env: { ...process.env, TERM: 'xterm-256color', NO_COLOR: '', FORCE_COLOR: '', ...env },
      stdio: 'pipe',
    })
    // A chunk may end within a character.
    this.#child.stdout!.setEncoding('utf8').on('data', (text: string) => (this.output += text))
    this.#child.stdin!.on('error', () => undefined)
    this.#ended = new Promise((resolve) => this.#child.on('close', (code) => resolve(code)))
  }

  /** Resolves when the terminal has shown this. */
  async shows(text: string | RegExp): Promise<void> {
    const isThere = () =>
      typeof text === 'string' ? this.output.includes(text) : text.test(this.output)
    await until(isThere)
  }

  type(text: string): void {
    this.#child.stdin!.write(text)
  }

  /** To the command itself, rather than by the terminal. */
  async signal(name: NodeJS.Signals): Promise<void> {
    process.kill(await this.#pid(), name)
  }

  /** As a person who drags the corner of the window. */
  async resize(columns: number, rows: number): Promise<void> {
    const device = readlinkSync(`/proc/${await this.#pid()}/fd/0`)
    execFileSync('stty', ['-F', device, 'cols', String(columns), 'rows', String(rows)])
  }

  async #pid(): Promise<number> {
    await this.shows(/pid \d+/)
    return Number(/pid (\d+)/.exec(this.output)![1])
  }

  /** Its exit code. */
  get ended(): Promise<number | null> {
    return this.#ended
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#ended
  }
}
