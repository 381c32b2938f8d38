import { isWithin, type AssignedTopic } from './assignment.ts'

export interface AnsweredHeartbeat {
  readonly sentAt: number
  /** The partitions that the member owned when it sent the heartbeat. */
  readonly owned: readonly AssignedTopic[]
  /** The target assignment before the response. */
  readonly before: readonly AssignedTopic[]
  /** The target assignment of the response. */
  readonly target: readonly AssignedTopic[]
}

/**
 * The time that the coordinator gives this member to give partitions up. After it the coordinator fences the member,
 * and others get all its partitions, while the member still has a session and has learned nothing.
 */
export class Revocation {
  readonly #timeoutMs: number
  #endsAt = Infinity

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs
  }

  /** The time by `performance.now()` by which the running revocation must be acknowledged; Infinity without one. */
  get endsAt(): number {
    return this.#endsAt
  }

  /**
   * The coordinator revokes nothing else from a member before the member has acknowledged a revocation, so that one
   * timeout runs at a time. It begins when the coordinator processes the heartbeat, which is not before `sentAt`.
   */
  answered({ sentAt, owned, before, target }: AnsweredHeartbeat): void {
    if (isWithin(owned, before)) this.#endsAt = Infinity
    if (this.#endsAt === Infinity && !isWithin(owned, target)) {
      this.#endsAt = sentAt + this.#timeoutMs
    }
  }

  end(): void {
    this.#endsAt = Infinity
  }
}
