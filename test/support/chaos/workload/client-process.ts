import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { guardChild } from '../../kafka/watchdog.ts'
import type { Deed } from '../checker/history.ts'
import { LineReader, now, type Line } from './lines.ts'

export interface ClientCommand {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  /** The file that it writes its lines to. */
  readonly log: string
}

/** How long a client may take to end in order, with all that it has queued. */
const END_MS = 150_000

/** A client in a process of its own: samsa's, or Java's, and what is done to it. */
export class ClientProcess {
  readonly name: string
  readonly deeds: Deed[] = []
  readonly lines: Line[] = []
  readonly #child: ChildProcess
  readonly #reader: LineReader
  readonly #ended: Promise<unknown>
  #stderr = ''

  constructor({ name, command, args, log }: ClientCommand) {
    this.name = name
    this.#child = spawn(command, args, { stdio: ['ignore', 'inherit', 'pipe'] })
    this.#child.stderr!.on('data', (chunk: Buffer) => (this.#stderr += chunk.toString()))
    this.#reader = new LineReader(log)
    this.#ended = once(this.#child, 'exit')
    if (this.#child.pid === undefined) throw new Error(`${command} cannot be started`)
    guardChild(this.#child)
  }

  get pid(): number {
    return this.#child.pid!
  }

  get isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** What it has written since the last call. */
  readOn(): readonly Line[] {
    const more = this.#reader.next()
    for (const line of more) this.lines.push(line)
    return more
  }

  async started(): Promise<void> {
    while (!this.lines.some(({ what }) => what === 'started')) {
      if (!this.isAlive) throw this.#failure('ended before it had started')
      await delay(20)
      this.readOn()
    }
  }

  async kill(): Promise<void> {
    this.#did('kill')
    this.#child.kill('SIGKILL')
    await this.#ended
  }

  freeze(): void {
    this.#child.kill('SIGSTOP')
    this.#did('freeze')
  }

  continue(): void {
    this.#did('continue')
    this.#child.kill('SIGCONT')
  }

  /** Blocks its event loop; the lines say when. */
  block(): void {
    this.#child.kill('SIGUSR2')
  }

  /** `T` for a process that is stopped. */
  get state(): string {
    return /\) (\w)/.exec(readFileSync(`/proc/${this.pid}/stat`, 'utf8'))?.[1] ?? ''
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGCONT')
    this.#child.kill('SIGTERM')
    const abort = new AbortController()
    const tooLate = delay(END_MS, 'late' as const, { signal: abort.signal }).catch(() => 'in time')
    const result = await Promise.race([this.#ended, tooLate])
    abort.abort()
    if (result === 'late') {
      this.#child.kill('SIGKILL')
      await this.#ended
      throw this.#failure(`did not end within ${END_MS} ms`)
    }
    this.readOn()
    if (this.#child.exitCode !== 0) {
      throw this.#failure(`ended with ${this.#child.signalCode ?? this.#child.exitCode}`)
    }
  }

  /** For the end of a run that has failed. */
  async dispose(): Promise<void> {
    if (!this.isAlive) return
    this.#child.kill('SIGKILL')
    await this.#ended
  }

  #did(what: Deed['what']): void {
    this.deeds.push({ at: now(), what })
  }

  #failure(what: string): Error {
    const errors = this.lines.filter(({ what: kind }) => kind === 'error').slice(-3)
    return new Error(
      `${this.name} ${what}: ${JSON.stringify(errors)} ${this.#stderr.slice(-2_000)}`,
    )
  }
}
