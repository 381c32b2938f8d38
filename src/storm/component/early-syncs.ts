/** The maximum number of syncs that are sent before their commands. */
const MOST_EARLY = 64
/** For this many tuples that are being processed, one sync may be sent early. */
const TUPLES_PER_SYNC = 8

/**
 * Counts Storm's commands, the syncs that answer them, and the tuples of a spout, to decide how many
 * syncs to send before their commands. Storm sends a command for each tuple that is acked, and reads
 * until the next `sync` before it does anything else. It does not wait for a `sync` that is already
 * in the pipe, and this process then handles many commands at once.
 *
 * Storm reads what the spout emits only after the early syncs in the pipe, so it has to send as many commands first.
 * There are fewer early syncs than tuples that are not acked or failed, and Storm sends a command for each of these
 * tuples: therefore it always reads everything, also when the topology is deactivated. The early syncs are at most one
 * eighth of these tuples, so that a tuple waits at most one eighth of the time that the topology takes for a tuple
 * (Little's law), and does not wait if there are few.
 */
export class EarlySyncs {
  #commands = 0
  #syncs = 0
  #pending = 0

  /** The number of tuples that were emitted and are not acked or failed. */
  get pending(): number {
    return this.#pending
  }

  /** Counts a tuple for which Storm will send `ack` or `fail`. */
  countEmit(): void {
    this.#pending += 1
  }

  countSync(): void {
    this.#syncs += 1
  }

  /** Counts a command that has arrived. Returns whether its sync was sent before. */
  countCommand(isAckOrFail: boolean): boolean {
    this.#commands += 1
    if (isAckOrFail) this.#pending -= 1
    return this.#syncs >= this.#commands
  }

  /**
   * The number of syncs to send early now. It is 0 until half of them are used up, so that many are
   * sent together.
   */
  get room(): number {
    const early = this.#syncs - this.#commands
    const most = Math.min(MOST_EARLY, Math.floor(this.#pending / TUPLES_PER_SYNC))
    return early > most / 2 ? 0 : most - early
  }
}
