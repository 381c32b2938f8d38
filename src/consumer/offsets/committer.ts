import type { Deadline } from '../../async/deadline.ts'
import { InvalidArgumentError, OffsetCommitError, type KafkaError } from '../../errors.ts'
import type { OffsetStore, OffsetToCommit } from './offset-store.ts'

/** Commits one after the other, so that an earlier one that is tried again does not undo a later one. */
export class Committer {
  readonly #store: OffsetStore | undefined
  readonly #onCommitted: (offset: OffsetToCommit) => void
  #last: Promise<void> = Promise.resolve()

  constructor(store: OffsetStore | undefined, onCommitted: (offset: OffsetToCommit) => void) {
    this.#store = store
    this.#onCommitted = onCommitted
  }

  /** Throws InvalidArgumentError without a group. */
  get store(): OffsetStore {
    if (this.#store !== undefined) return this.#store
    throw new InvalidArgumentError(
      'offsets are kept for a group: give the consumer a consumerGroup',
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
      const results = offsets.length === 0 ? [] : await store.commit(offsets, deadline)
      results.forEach(({ error }, index) => {
        if (error === undefined) this.#onCommitted(offsets[index]!)
        else failures.push(error)
      })
      const [first, ...others] = failures
      if (first !== undefined) throw new OffsetCommitError([first, ...others])
    })
    this.#last = committed.catch(() => undefined)
    return committed
  }
}
