import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { now, type Deed, type Life, type MemberEvent, type MemberOptions } from './events.ts'

const FILE = resolve('test/support/balanced/storm/member.ts')

/** A member in a process of its own, and what is done to it. */
export class MemberProcess {
  readonly name: string
  readonly #child: ChildProcess
  readonly #log: string
  readonly #deeds: Deed[] = []
  readonly #ended: Promise<unknown>
  #isStopped = false

  constructor(name: string, options: MemberOptions) {
    this.name = name
    this.#log = options.log
    this.#child = spawn(process.execPath, ['--import', 'tsx', FILE, JSON.stringify(options)], {
      stdio: ['ignore', 'inherit', 'inherit'],
    })
    this.#ended = once(this.#child, 'exit')
    this.#did('start')
  }

  get isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  get isStopped(): boolean {
    return this.#isStopped
  }

  get isReady(): boolean {
    return this.events.some(({ what }) => what === 'started')
  }

  get events(): readonly MemberEvent[] {
    if (!existsSync(this.#log)) return []
    const lines = readFileSync(this.#log, 'utf8').split('\n')
    // The last line of a process that was killed may be cut off, and what is behind the last line end is none.
    return lines.slice(0, -1).map((line) => JSON.parse(line) as MemberEvent)
  }

  get life(): Life {
    return { name: this.name, events: this.events, deeds: this.#deeds }
  }

  kill(): void {
    this.#did('kill')
    this.#child.kill('SIGKILL')
  }

  stop(): void {
    this.#isStopped = true
    this.#child.kill('SIGSTOP')
    this.#did('stop')
  }

  continue(): void {
    this.#isStopped = false
    this.#did('continue')
    this.#child.kill('SIGCONT')
  }

  leave(): void {
    this.#did('leave')
    this.#child.kill('SIGTERM')
  }

  ended(): Promise<unknown> {
    return this.#ended
  }

  #did(what: Deed['what']): void {
    this.#deeds.push({ at: now(), what })
  }
}
