import type { Log } from './history.ts'

/** Finds messages by id and by place. */
export class LogIndex {
  readonly #logs: readonly Log[]
  readonly #logOf = new Map<string, Log>()
  readonly #ids = new Map<Log, Map<number, Map<number, string>>>()
  readonly #offsets = new Map<Log, Map<number, number[]>>()

  constructor(logs: readonly Log[]) {
    this.#logs = logs
    for (const log of logs) {
      const ids = new Map<number, Map<number, string>>()
      for (const { partition, offset, id } of log.entries) {
        this.#logOf.set(id, log)
        const own = ids.get(partition) ?? new Map<number, string>()
        ids.set(partition, own.set(offset, id))
      }
      this.#ids.set(log, ids)
      const sorted = [...ids].map(
        ([partition, own]) => [partition, [...own.keys()].sort((a, b) => a - b)] as const,
      )
      this.#offsets.set(log, new Map(sorted))
    }
  }

  logOf(id: string): Log | undefined {
    return this.#logOf.get(id)
  }

  idAt(log: Log, partition: number, offset: number): string | undefined {
    return this.#ids.get(log)?.get(partition)?.get(offset)
  }

  /** Whether DeleteRecords may have removed what was at this offset. */
  mayBeDeleted(partition: number, offset: number): boolean {
    return this.#logs.some(({ starts }) => offset < (starts.get(partition) ?? 0))
  }

  /** The topic that existed at this time. */
  logAt(at: number): Log | undefined {
    return this.#logs.findLast(({ createdAt }) => createdAt <= at)
  }

  numberOf(log: Log): number {
    return this.#logs.indexOf(log)
  }

  /** The topics of this name that were deleted before this one was created. */
  before(log: Log): readonly Log[] {
    return this.#logs.slice(0, this.numberOf(log))
  }

  /** The offset after the last message. */
  endOf(log: Log, partition: number): number {
    return (this.#offsets.get(log)?.get(partition)?.at(-1) ?? -1) + 1
  }

  offsetsBetween(log: Log, partition: number, from: number, end: number): readonly number[] {
    const offsets = this.#offsets.get(log)?.get(partition) ?? []
    return offsets.slice(lowerBound(offsets, from), lowerBound(offsets, end))
  }

  /** The first offset from `from` on and below `end` at which there is a message. */
  firstBetween(log: Log, partition: number, from: number, end: number): number | undefined {
    const offsets = this.#offsets.get(log)?.get(partition) ?? []
    const found = offsets[lowerBound(offsets, from)]
    return found !== undefined && found < end ? found : undefined
  }
}

/** The index of the first number of an ascending list that is not below `value`. */
function lowerBound(sorted: readonly number[], value: number): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (sorted[middle]! < value) low = middle + 1
    else high = middle
  }
  return low
}
