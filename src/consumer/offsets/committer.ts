import type { Deadline } from '../../async/deadline.ts'
import { InvalidArgumentError, OffsetCommitError, type KafkaError } from '../../errors.ts'
import { commitChannel, type CommitEvent } from '../../observe/channels.ts'
import type { ConsumerMetrics } from '../../observe/metrics/client-metrics.ts'
import { asError } from '../../observe/thrown.ts'
import type { OffsetStore, OffsetToCommit } from './offset-store.ts'

/** Runs commits one after another, so that a retry of an earlier commit cannot overwrite a later one. */
export class Committer {
  readonly #store: OffsetStore | undefined
  readonly #metrics: ConsumerMetrics
  readonly #onCommitted: (offset: OffsetToCommit) => void
  #last: Promise<void> = Promise.resolve()

  constructor(
    store: OffsetStore | undefined,
    metrics: ConsumerMetrics,
    onCommitted: (offset: OffsetToCommit) => void,
  ) {
    this.#store = store
    this.#metrics = metrics
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

  /** True if an unchanged offset has to be committed again. */
  get expires(): boolean {
    return this.#store?.expires ?? false
  }

  /**
   * Calls `what` when the commit's turn comes; if it throws, the commit fails without a request. Throws
   * OffsetCommitError.
   */
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

  /** Calls `commit`, which commits these offsets by other means, and reports it as a commit of this consumer. */
  async reported(offsets: readonly OffsetToCommit[], commit: () => Promise<void>): Promise<void> {
    const began = performance.now()
    try {
      await commit()
    } catch (error) {
      this.#report(offsets, performance.now() - began, asError(error))
      throw error
    }
    this.#report(offsets, performance.now() - began, undefined)
    for (const one of offsets) this.#onCommitted(one)
  }

  #report(offsets: readonly OffsetToCommit[], durationMs: number, error: Error | undefined): void {
    const { client, group, counted } = this.#metrics
    counted.commitDuration.recordMs(durationMs)
    if (error !== undefined) counted.commitFailures++
    if (!commitChannel.hasSubscribers || group === undefined) return
    const event: CommitEvent = {
      clientId: client.clientId,
      clusterId: client.clusterId,
      group,
      offsets: offsets.map(({ topic, partition, offset }) => ({ topic, partition, offset })),
      durationMs,
      error,
    }
    commitChannel.publish(event)
  }
}
