import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { BalancedConsumerOptions } from '../../../../src/index.ts'
import { PATIENCE_MS } from '../../patience.ts'
import { now, WAYS, type Life } from './events.ts'
import { MemberProcess } from './process.ts'

export interface CrowdOptions {
  readonly hosts: string
  readonly topic: string
  readonly partitions: number
  readonly processes: number
  readonly sessionTimeoutMs: number
  /** For getBalancedConsumer. */
  readonly consumer: BalancedConsumerOptions
  /** For the members' logs. */
  readonly folder: string
  readonly random: () => number
  readonly onProgress?: (text: string) => void
}

/** The processes of the storm, and what is done to them. */
export class Crowd {
  readonly deeds: Record<'start' | 'kill' | 'stop' | 'leave', number> = {
    ...{ start: 0, kill: 0, stop: 0, leave: 0 },
  }
  readonly #options: CrowdOptions
  readonly #members: MemberProcess[] = []
  #waking: Promise<void>[] = []

  constructor(options: CrowdOptions) {
    this.#options = options
  }

  get lives(): readonly Life[] {
    return this.#members.map(({ life }) => life)
  }

  start(): void {
    this.deeds.start++
    const { hosts, topic, consumer, folder } = this.#options
    const name = `m${this.#members.length}`
    const log = join(folder, `${name}.log`)
    const way = WAYS[this.#members.length % WAYS.length]!
    this.#members.push(
      new MemberProcess(name, { hosts, topic, log, consumer, commitIntervalMs: 200, way }),
    )
  }

  /** Does something to one of them: starts one where one is missing, or kills, stops or ends any. */
  change(): void {
    const { processes, random, onProgress = () => undefined } = this.#options
    const chance = random()
    const ready = this.#staying.filter((member) => member.isReady && !member.isStopped)
    const one = ready[Math.floor(random() * ready.length)]
    if (this.#staying.length < processes) {
      this.start()
      return
    }
    if (one === undefined || ready.length === 1) return
    const what = chance < 0.35 ? 'kill' : chance < 0.65 ? 'stop' : 'leave'
    this.deeds[what]++
    onProgress(`${what} ${one.name}`)
    if (what === 'leave') one.leave()
    else if (what === 'kill') one.kill()
    else this.#stop(one)
  }

  /**
   * Waits until each partition is one member's, and each member has been given its own, with nothing done to any of
   * them meanwhile. Resolves with how long that took since the last change; throws if it never settles.
   */
  async settled(): Promise<number> {
    await Promise.all(this.#waking)
    this.#waking = []
    const isRunning = () => this.#staying.every((member) => member.isRunning)
    await until(isRunning, PATIENCE_MS, 'a process has not started')
    const from = now()
    await until(() => this.#isSettled(), PATIENCE_MS, 'the group did not settle')
    return now() - from
  }

  /** Waits until all has been read up to these offsets, for as long as it continues. */
  async hasRead(ends: ReadonlyMap<number, number>): Promise<void> {
    const isRead = () =>
      [...ends].every(([partition, end]) =>
        this.#members.some((member) => (member.lastRead.get(partition) ?? -1) >= end - 1),
      )
    const count = () => this.#members.reduce((total, { messages }) => total + messages, 0)
    while (!isRead()) {
      const before = count()
      const isMore = () => count() > before
      await until(isMore, PATIENCE_MS, 'nothing more was read, and not all was')
    }
  }

  /** All that are left, in good order. */
  async leave(): Promise<void> {
    for (const member of this.#staying) member.leave()
    await this.#ended()
  }

  async kill(): Promise<void> {
    for (const member of this.#members) if (member.isAlive) member.kill()
    await this.#ended()
  }

  /** Neither ended nor about to. */
  get #staying(): readonly MemberProcess[] {
    return this.#members.filter((member) => member.isStaying)
  }

  #stop(member: MemberProcess): void {
    const { sessionTimeoutMs, random } = this.#options
    member.stop()
    const pauseMs = sessionTimeoutMs * (1.2 + random())
    this.#waking.push(delay(pauseMs).then(() => member.continue()))
  }

  #isSettled(): boolean {
    const owned = this.#staying.flatMap((member) => [...member.owned])
    const { partitions } = this.#options
    const isOwnedOnce = owned.length === partitions && new Set(owned).size === partitions
    return isOwnedOnce && this.#staying.every((member) => member.isReady)
  }

  async #ended(): Promise<void> {
    await Promise.all(this.#members.map((member) => member.ended()))
  }
}

async function until(isSo: () => boolean, timeoutMs: number, otherwise: string): Promise<void> {
  const end = now() + timeoutMs
  while (!isSo()) {
    if (now() > end) throw new Error(`${otherwise} within ${timeoutMs} ms`)
    await delay(50)
  }
}
