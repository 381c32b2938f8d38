export interface Read {
  readonly member: string
  readonly checksum: string
}

/** The messages sent and read, by partition and offset, with the reader of each. */
export class Ledger {
  readonly partitions: readonly number[]
  readonly #sent: ReadonlyMap<number, string[]>
  readonly #reads: ReadonlyMap<number, Read[][]>
  readonly #distinct: Map<number, number>

  constructor(partitions: readonly number[]) {
    this.partitions = partitions
    this.#sent = new Map(partitions.map((partition) => [partition, []]))
    this.#reads = new Map(partitions.map((partition) => [partition, []]))
    this.#distinct = new Map(partitions.map((partition) => [partition, 0]))
  }

  /** In a new topic with one producer the first message of a partition has the offset 0, the next one 1. */
  addSent(partition: number, checksum: string): void {
    of(this.#sent, partition).push(checksum)
  }

  addRead(partition: number, offset: number, read: Read): void {
    const reads = of(this.#reads, partition)
    if (reads[offset] === undefined) {
      reads[offset] = []
      this.#distinct.set(partition, of(this.#distinct, partition) + 1)
    }
    reads[offset].push(read)
  }

  /** The checksums by offset. */
  sent(partition: number): readonly string[] {
    return of(this.#sent, partition)
  }

  /** The readers by offset. */
  reads(partition: number): readonly (readonly Read[] | undefined)[] {
    return of(this.#reads, partition)
  }

  /** The number of messages without a reader. */
  lag(partition: number): number {
    return this.sent(partition).length - of(this.#distinct, partition)
  }

  get totalSent(): number {
    return sum(this.partitions.map((partition) => this.sent(partition).length))
  }

  get totalLag(): number {
    return sum(this.partitions.map((partition) => this.lag(partition)))
  }
}

function of<T>(map: ReadonlyMap<number, T>, partition: number): T {
  const found = map.get(partition)
  if (found === undefined) throw new Error(`There is no partition ${partition}`)
  return found
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
