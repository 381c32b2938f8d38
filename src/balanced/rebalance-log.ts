import type { TopicPartition } from '../consumer/topic-partition.ts'
import type { RebalanceEvent } from '../observe/channels.ts'
import type { Coordinator } from './coordinator.ts'
import type { Phase } from './phases.ts'

/** Collects the changes of a rebalance, which are reported when it is over. */
export class RebalanceLog {
  readonly #clientId: string
  readonly #group: string
  readonly #coordinator: Coordinator
  #beganAt: number | undefined
  #assigned: TopicPartition[] = []
  #revoked: TopicPartition[] = []
  #lost: TopicPartition[] = []

  constructor(clientId: string, group: string, coordinator: Coordinator) {
    this.#clientId = clientId
    this.#group = group
    this.#coordinator = coordinator
  }

  assigned(partitions: readonly TopicPartition[]): void {
    this.#assigned = this.#assigned.concat(partitions)
  }

  revoked(partitions: readonly TopicPartition[]): void {
    this.#revoked = this.#revoked.concat(partitions)
  }

  lost(partitions: readonly TopicPartition[]): void {
    this.#lost = this.#lost.concat(partitions)
  }

  /**
   * Returns the event to report when a phase begins; undefined if the rebalance is not over yet, or changed nothing.
   */
  phase(phase: Phase, assignment: readonly TopicPartition[]): RebalanceEvent | undefined {
    if (phase !== 'settled' && phase !== 'closed') {
      this.#beganAt ??= performance.now()
      return undefined
    }
    const [assigned, revoked, lost] = [this.#assigned, this.#revoked, this.#lost]
    const durationMs = performance.now() - (this.#beganAt ?? performance.now())
    this.#assigned = []
    this.#revoked = []
    this.#lost = []
    this.#beganAt = undefined
    if (assigned.length + revoked.length + lost.length === 0) return undefined
    const { memberId } = this.#coordinator
    return {
      clientId: this.#clientId,
      group: this.#group,
      memberId,
      durationMs,
      assigned,
      revoked,
      lost,
      assignment,
    }
  }
}
