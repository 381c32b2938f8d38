import { createHash } from 'node:crypto'
import type { Ledger, Read } from './ledger.ts'

/** A process that was killed, or lost its place in the group without a chance to commit. */
export interface CutOff {
  readonly name: string
  readonly wasKilled: boolean
  /** What is known to have been committed by it until then: the next offset, by partition. */
  readonly committed: ReadonlyMap<number, number>
}

export interface Audit {
  readonly sent: number
  /** Read at least once. */
  readonly read: number
  /** How often one that had been read was read again. */
  readonly duplicates: number
  /** SHA-256 of all messages' checksums, in order of partitions and offsets. */
  readonly sentDigest: string
  readonly readDigest: string
  /** What must not have happened, a sentence each. */
  readonly problems: readonly string[]
}

/**
 * Whether every message was read as it was sent, and none again but those that a process had read before it was
 * cut off, and not come to commit.
 */
export function audit(ledger: Ledger, cutOffs: readonly CutOff[]): Audit {
  const [sentHash, readHash] = [createHash('sha256'), createHash('sha256')]
  const problems: string[] = []
  let [read, duplicates] = [0, 0]
  for (const partition of ledger.partitions) {
    const [sent, reads] = [ledger.sent(partition), ledger.reads(partition)]
    const found = new Findings(partition)
    for (let offset = 0; offset < Math.max(sent.length, reads.length); offset++) {
      const [checksum, readers] = [sent[offset], reads[offset] ?? []]
      if (checksum !== undefined) sentHash.update(checksum)
      readHash.update(readers[0]?.checksum ?? '')
      if (readers.length > 0) read++
      duplicates += Math.max(0, readers.length - 1)
      const wrong = verdict(
        checksum,
        readers,
        cutOffs.filter(({ committed }) => offset >= (committed.get(partition) ?? 0)),
      )
      if (wrong !== undefined) found.add(wrong, offset)
    }
    problems.push(...found.sentences)
  }
  const [sentDigest, readDigest] = [sentHash.digest('hex'), readHash.digest('hex')]
  return { sent: ledger.totalSent, read, duplicates, sentDigest, readDigest, problems }
}

function verdict(
  sent: string | undefined,
  readers: readonly Read[],
  cutOffs: readonly CutOff[],
): string | undefined {
  if (sent === undefined) return readers.length === 0 ? undefined : 'were never sent'
  if (readers.length === 0) return 'were lost'
  if (readers.some(({ checksum }) => checksum !== sent)) return 'are not what was sent'
  const hasRead = (name: string) => readers.some(({ member }) => member === name)
  const hasOthers = (name: string) => readers.some(({ member }) => member !== name)
  const inVain = cutOffs.filter(
    ({ name, wasKilled }) => hasRead(name) && (!wasKilled || hasOthers(name)),
  )
  const isRight = readers.length - inVain.length <= 1
  return isRight ? undefined : 'were read again without a reason'
}

/** The same of many offsets is said once. */
class Findings {
  readonly #partition: number
  readonly #offsets = new Map<string, number[]>()

  constructor(partition: number) {
    this.#partition = partition
  }

  add(what: string, offset: number): void {
    const offsets = this.#offsets.get(what)
    if (offsets === undefined) this.#offsets.set(what, [offset])
    else offsets.push(offset)
  }

  get sentences(): readonly string[] {
    return [...this.#offsets].map(
      ([what, offsets]) =>
        `partition ${this.#partition}: ${offsets.length} messages ${what}, the first is ${offsets[0]}`,
    )
  }
}
