import { createHash, type Hash } from 'node:crypto'

/** Counts messages and takes their SHA-256, partition by partition: there the order is certain. */
export class Tally {
  readonly #hashes: ReadonlyMap<number, Hash>
  readonly counts: Map<number, number>
  messages = 0
  bytes = 0

  constructor(partitions: readonly number[]) {
    this.#hashes = new Map(partitions.map((partition) => [partition, createHash('sha256')]))
    this.counts = new Map(partitions.map((partition) => [partition, 0]))
  }

  add(partition: number, value: Uint8Array): void {
    const hash = this.#hashes.get(partition)
    if (hash === undefined) throw new Error(`There is no partition ${partition}`)
    hash.update(value).update('\n')
    this.counts.set(partition, (this.counts.get(partition) ?? 0) + 1)
    this.messages++
    this.bytes += value.length
  }

  /** Of all partitions' hashes; call it once. */
  digest(): string {
    const all = createHash('sha256')
    for (const hash of this.#hashes.values()) all.update(hash.digest())
    return all.digest('hex')
  }
}
