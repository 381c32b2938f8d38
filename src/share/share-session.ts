/** The partitions that a broker fetches for a member without receiving them again (KIP-932). */

export interface SessionPartition {
  readonly topicId: string
  readonly partition: number
}

export interface ShareSessionRequest {
  readonly epoch: number
  readonly added: readonly SessionPartition[]
  readonly forgotten: readonly SessionPartition[]
}

const NEW = 0
export const FINAL_EPOCH = -1
const LAST_EPOCH = 0x7fffffff

export function sessionKeyOf({ topicId, partition }: SessionPartition): string {
  return `${topicId} ${partition}`
}

/**
 * The share session with one broker. Epoch 0 opens it, and each later ShareFetch and ShareAcknowledge has the next
 * epoch; after the largest comes 1. After a failed request the epoch is not known, so that a new session is opened.
 */
export class ShareSession {
  #epoch = NEW
  /** The partitions that the broker fetches. */
  #partitions = new Map<string, SessionPartition>()
  #asked = new Map<string, SessionPartition>()

  constructor(epoch = NEW) {
    this.#epoch = epoch
  }

  /** True if the next request opens a session: it must be a ShareFetch without acknowledgements. */
  get isNew(): boolean {
    return this.#epoch === NEW
  }

  /** Returns the next ShareFetch, for exactly these partitions. */
  fetch(wanted: readonly SessionPartition[]): ShareSessionRequest {
    this.#asked = new Map(wanted.map((one) => [sessionKeyOf(one), one]))
    return {
      epoch: this.#epoch,
      added: [...this.#asked].flatMap(([key, one]) => (this.#partitions.has(key) ? [] : one)),
      forgotten: [...this.#partitions].flatMap(([key, one]) => (this.#asked.has(key) ? [] : one)),
    }
  }

  /** Returns the epoch of the next ShareAcknowledge, which does not change the fetched partitions. */
  acknowledge(): number {
    this.#asked = this.#partitions
    return this.#epoch
  }

  /** Called when the broker has accepted the last request. */
  answered(): void {
    this.#partitions = this.#asked
    this.#epoch = this.#epoch === LAST_EPOCH ? 1 : this.#epoch + 1
  }

  /** Called when the broker has, or may have, no session of this member. */
  lost(): void {
    this.#epoch = NEW
    this.#partitions = new Map()
  }
}
