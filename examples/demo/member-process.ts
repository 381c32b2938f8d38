import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import type { CutOff } from './audit.ts'
import type { MemberEvent, MemberOptions } from './events.ts'
import type { Ledger } from './ledger.ts'
import { Rate } from './rate.ts'

const FILE = resolve('examples/demo/member.ts')
/** The limit for a graceful end, after which the process is killed. */
const END_TIMEOUT_MS = 5_000

export type MemberState = 'joining' | 'reading' | 'killed' | 'leaving' | 'left' | 'failed'

/** The parent's view of a member process, based on the events that it sends. */
export class MemberProcess {
  readonly name: string
  readonly rate = new Rate()
  readonly #child: ChildProcess
  readonly #ledger: Ledger
  readonly #say: (text: string) => void
  readonly #owned = new Set<number>()
  readonly #committed = new Map<number, number>()
  readonly #cutOffs: CutOff[] = []
  readonly #ended: Promise<unknown>
  #state: MemberState = 'joining'
  #failure = ''
  #readCount = 0

  constructor(name: string, options: MemberOptions, ledger: Ledger, say: (text: string) => void) {
    this.name = name
    this.#ledger = ledger
    this.#say = say
    this.#child = fork(FILE, [JSON.stringify(options)], {
      execArgv: ['--import', 'tsx'],
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    this.#child.on('message', (event) => this.#on(event as MemberEvent))
    this.#child.once('exit', (code, signal) => this.#exited(code ?? signal))
    // The events are complete only when the channel is closed.
    this.#ended = Promise.all([once(this.#child, 'exit'), once(this.#child, 'disconnect')])
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  get state(): MemberState {
    return this.#state
  }

  /** The reason of an unexpected end. */
  get failure(): string {
    return this.#failure
  }

  /** Sorted. */
  get partitions(): readonly number[] {
    return [...this.#owned].sort((a, b) => a - b)
  }

  /** The events after which uncommitted messages are delivered again. */
  get cutOffs(): readonly CutOff[] {
    return this.#cutOffs
  }

  get readCount(): number {
    return this.#readCount
  }

  /** Resolves when the process has ended and all of its events have arrived. */
  async kill(): Promise<void> {
    this.#state = 'killed'
    this.#child.kill('SIGKILL')
    await this.#ended
    this.#cutOff(true)
  }

  /** Ends the process gracefully. */
  async leave(): Promise<void> {
    if (this.#state === 'joining' || this.#state === 'reading') this.#state = 'leaving'
    this.#child.kill('SIGTERM')
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), END_TIMEOUT_MS)
    await this.#ended
    clearTimeout(timer)
  }

  #on(event: MemberEvent): void {
    switch (event.what) {
      case 'ready':
        if (this.#state === 'joining') this.#state = 'reading'
        return
      case 'assigned':
        for (const partition of event.partitions) this.#owned.add(partition)
        return
      case 'lost':
        this.#cutOff(false)
        this.#say(`${this.name} lost partitions ${event.partitions.join(' ')}: its session expired`)
        for (const partition of event.partitions) this.#owned.delete(partition)
        return
      case 'revoked':
        for (const partition of event.partitions) this.#owned.delete(partition)
        return
      case 'read':
        this.#readCount += event.messages.length
        for (const { partition, offset, checksum } of event.messages) {
          this.#ledger.addRead(partition, offset, { member: this.name, checksum })
        }
        return
      case 'committed':
        for (const [partition, offset] of event.offsets) this.#committed.set(partition, offset)
        return
      case 'trouble':
        this.#say(`${this.name}: ${event.message}`)
        return
      case 'failed':
        this.#failure = event.message
        return
    }
  }

  #cutOff(wasKilled: boolean): void {
    this.#cutOffs.push({ name: this.name, wasKilled, committed: new Map(this.#committed) })
  }

  #exited(how: number | NodeJS.Signals | null): void {
    this.#owned.clear()
    if (this.#state === 'leaving' && how === 0) this.#state = 'left'
    else if (this.#state !== 'killed') {
      this.#state = 'failed'
      this.#failure ||= `it ended with ${how}`
    }
  }
}
