import { createHash } from 'node:crypto'
import type { Ledger, Read } from './ledger.ts'

/** A process that was killed, or lost its partitions before it could commit. */
export interface CutOff {
  readonly name: string
  readonly wasKilled: boolean
  /** Its last known commit: the next offset of each partition. */
  readonly committed: ReadonlyMap<number, number>
}

export interface Audit {
  readonly sent: number
  /** The number of messages that were read at least once. */
  readonly read: number
  /** The number of repeated reads. */
  readonly duplicates: number
  /** SHA-256 of the checksums of all messages, in order of partition and offset. */
  readonly sentDigest: string
  readonly readDigest: string
  /** Violations, one sentence each. */
  readonly problems: readonly string[]
}

/**
 * Checks that every message was read unchanged, and that only messages were read twice that a process had read but
 * not committed when it was cut off.
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
  if (readers.some(({ checksum }) => checksum !== sent)) return 'differ from the messages sent'
  const hasRead = (name: string) => readers.some(({ member }) => member === name)
  const hasOthers = (name: string) => readers.some(({ member }) => member !== name)
  const inVain = cutOffs.filter(
    ({ name, wasKilled }) => hasRead(name) && (!wasKilled || hasOthers(name)),
  )
  const isRight = readers.length - inVain.length <= 1
  return isRight ? undefined : 'were read again without a reason'
}

/** Groups the offsets of a partition by violation. */
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
