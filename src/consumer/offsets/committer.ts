import type { Deadline } from '../../async/deadline.ts'
import { InvalidArgumentError, OffsetCommitError, type KafkaError } from '../../errors.ts'
import { commitChannel, type CommitEvent } from '../../observe/channels.ts'
import type { ClientMetrics, ConsumerMetrics } from '../../observe/metrics/client-metrics.ts'
import type { OffsetStore, OffsetToCommit } from './offset-store.ts'

/** Commits one after the other, so that an earlier one that is tried again does not undo a later one. */
export class Committer {
  readonly #store: OffsetStore | undefined
  readonly #metrics: ClientMetrics
  readonly #counted: ConsumerMetrics
  readonly #onCommitted: (offset: OffsetToCommit) => void
  #last: Promise<void> = Promise.resolve()

  constructor(
    store: OffsetStore | undefined,
    metrics: ClientMetrics,
    counted: ConsumerMetrics,
    onCommitted: (offset: OffsetToCommit) => void,
  ) {
    this.#store = store
    this.#metrics = metrics
    this.#counted = counted
    this.#onCommitted = onCommitted
  }

  /** Throws InvalidArgumentError without a group. */
  get store(): OffsetStore {
    if (this.#store !== undefined) return this.#store
    throw new InvalidArgumentError(
      'offsets are stored for a group: the consumer needs a consumerGroup',
    )
  }

  get isThere(): boolean {
    return this.#store !== undefined
  }

  /** Whether an offset that has not changed is to be committed again. */
  get expires(): boolean {
    return this.#store?.expires ?? false
  }

  /** `what` is asked when it is its turn; what it refuses fails without a request. Throws OffsetCommitError. */
  commit(
    what: (refuse: (reason: KafkaError) => void) => readonly OffsetToCommit[],
    deadline: Deadline,
  ): Promise<void> {
    const { store } = this
    const committed = this.#last.then(async () => {
      const failures: KafkaError[] = []
      const offsets = what((reason) => failures.push(reason))
      const began = performance.now()
      const results = offsets.length === 0 ? [] : await store.commit(offsets, deadline)
      results.forEach(({ error }, index) => {
        if (error === undefined) this.#onCommitted(offsets[index]!)
        else failures.push(error)
      })
      const [first, ...others] = failures
      const error = first && new OffsetCommitError([first, ...others])
      if (offsets.length > 0) this.#report(offsets, performance.now() - began, error)
      if (error !== undefined) throw error
    })
    this.#last = committed.catch(() => undefined)
    return committed
  }

  #report(offsets: readonly OffsetToCommit[], durationMs: number, error: Error | undefined): void {
    this.#counted.commitDuration.recordMs(durationMs)
    if (error !== undefined) this.#counted.commitFailures++
    const { group } = this.#counted
    if (!commitChannel.hasSubscribers || group === undefined) return
    const event: CommitEvent = {
      clientId: this.#metrics.clientId,
      group,
      offsets: offsets.map(({ topic, partition, offset }) => ({ topic, partition, offset })),
      durationMs,
      error,
    }
    commitChannel.publish(event)
  }
}
