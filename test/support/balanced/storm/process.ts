import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { resolve } from 'node:path'
import { guardChild } from '../../kafka/watchdog.ts'
import { now, type Deed, type Life, type MemberEvent, type MemberOptions } from './events.ts'

const FILE = resolve('test/support/balanced/storm/member.ts')

/** A member in a process of its own, and what is done to it. Its output is read when the test requests it. */
export class MemberProcess {
  readonly name: string
  readonly #child: ChildProcess
  readonly #log: string
  readonly #deeds: Deed[] = []
  readonly #ended: Promise<unknown>
  readonly #events: MemberEvent[] = []
  /** How far its log was read: always to the end of a line. */
  #readBytes = 0
  #isStopped = false
  #isRunning = false
  #isReady = false
  readonly #owned = new Set<number>()
  readonly #lastRead = new Map<number, number>()
  #messages = 0

  constructor(name: string, options: MemberOptions) {
    this.name = name
    this.#log = options.log
    this.#child = spawn(process.execPath, ['--import', 'tsx', FILE, JSON.stringify(options)], {
      stdio: ['ignore', 'inherit', 'inherit'],
    })
    guardChild(this.#child)
    this.#ended = once(this.#child, 'exit')
    this.#did('start')
  }

  get isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** Alive, and neither killed nor told to leave. */
  get isStaying(): boolean {
    return this.isAlive && !this.#deeds.some(({ what }) => what === 'kill' || what === 'leave')
  }

  get isStopped(): boolean {
    return this.#isStopped
  }

  /** It is about to join the group, or has. */
  get isRunning(): boolean {
    this.#readOn()
    return this.#isRunning
  }

  /** It had its first assignment. */
  get isReady(): boolean {
    this.#readOn()
    return this.#isReady
  }

  /** The partitions that it has. */
  get owned(): ReadonlySet<number> {
    this.#readOn()
    return this.#owned
  }

  /** The highest offset of each partition that was delivered. */
  get lastRead(): ReadonlyMap<number, number> {
    this.#readOn()
    return this.#lastRead
  }

  /** How many were delivered. */
  get messages(): number {
    this.#readOn()
    return this.#messages
  }

  get life(): Life {
    this.#readOn()
    return { name: this.name, events: this.#events, deeds: this.#deeds }
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

  #readOn(): void {
    const file = openSync(this.#log, 'a+')
    const more = Buffer.alloc(fstatSync(file).size - this.#readBytes)
    readSync(file, more, { position: this.#readBytes })
    closeSync(file)
    // The last line may not be whole yet, and of one that was killed never will be.
    const whole = more.subarray(0, more.lastIndexOf('\n') + 1)
    this.#readBytes += whole.length
    const lines = whole.toString().split('\n').slice(0, -1)
    for (const line of lines) this.#take(JSON.parse(line) as MemberEvent)
  }

  #take(event: MemberEvent): void {
    this.#events.push(event)
    switch (event.what) {
      case 'running':
        this.#isRunning = true
        return
      case 'started':
        this.#isReady = true
        return
      case 'assigned':
        for (const partition of event.partitions) this.#owned.add(partition)
        return
      case 'revoked':
      case 'lost':
        for (const partition of event.partitions) this.#owned.delete(partition)
        return
      case 'message':
        this.#messages++
        this.#lastRead.set(
          event.partition,
          Math.max(event.offset, this.#lastRead.get(event.partition) ?? -1),
        )
        return
      default:
        return
    }
  }

  #did(what: Deed['what']): void {
    this.#deeds.push({ at: now(), what })
  }
}
