import type { CutOff } from './audit.ts'
import type { MemberOptions } from './events.ts'
import type { Ledger } from './ledger.ts'
import { MemberProcess } from './member-process.ts'

/** The processes that share the partitions. Disposing of the group ends all of them. */
export class Group implements AsyncDisposable {
  readonly #options: MemberOptions
  readonly #ledger: Ledger
  readonly #say: (text: string) => void
  readonly #members: MemberProcess[] = []

  constructor(options: MemberOptions, ledger: Ledger, say: (text: string) => void) {
    this.#options = options
    this.#ledger = ledger
    this.#say = say
  }

  get members(): readonly MemberProcess[] {
    return this.#members
  }

  get cutOffs(): readonly CutOff[] {
    return this.#members.flatMap(({ cutOffs }) => cutOffs)
  }

  /** Starts a process and names it A, B, C… */
  join(): MemberProcess {
    const name = String.fromCharCode('A'.charCodeAt(0) + this.#members.length)
    const member = new MemberProcess(name, this.#options, this.#ledger, this.#say)
    this.#members.push(member)
    return member
  }

  /** The processes that report to own the partition: none while it moves, never two. */
  ownersOf(partition: number): readonly MemberProcess[] {
    return this.#members.filter(({ partitions }) => partitions.includes(partition))
  }

  /** Throws if a process ended unexpectedly. */
  throwIfFailed(): void {
    const failed = this.#members.find(({ state }) => state === 'failed')
    if (failed !== undefined) throw new Error(`Process ${failed.name}: ${failed.failure}`)
  }

  /** True when all processes have joined, and each partition has one owner, evenly distributed. */
  isSettled(): boolean {
    if (this.#members.some(({ state }) => state === 'joining')) return false
    const counts = this.#reading.map(({ partitions }) => partitions.length)
    return (
      Math.max(...counts) - Math.min(...counts) <= 1 &&
      this.#ledger.partitions.every((partition) => this.ownersOf(partition).length === 1)
    )
  }

  /** The reading process with the most partitions. */
  get busiest(): MemberProcess {
    return this.#reading.reduce((most, one) =>
      one.partitions.length > most.partitions.length ? one : most,
    )
  }

  async leave(): Promise<void> {
    await Promise.all(this.#members.map((member) => member.leave()))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.leave()
  }

  get #reading(): readonly MemberProcess[] {
    return this.#members.filter(({ state }) => state === 'reading')
  }
}
