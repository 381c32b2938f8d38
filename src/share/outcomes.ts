import type { KafkaError } from '../errors.ts'
import type { Logger } from '../observe/logger.ts'
import { inOrder, nameOf, type TopicPartition } from '../consumer/topic-partition.ts'

/** What became of the acknowledgements of one partition. */
export interface AcknowledgementResult extends TopicPartition {
  /** How many messages the broker has taken the acknowledgement of. */
  readonly acknowledged: number
  /** How many acknowledgements have had no effect: their messages are delivered again, here or elsewhere. */
  readonly failed: number
  /**
   * The first failure: INVALID_RECORD_STATE where the lock had run out. Undefined where nothing failed.
   */
  readonly error?: KafkaError
}

interface Counts extends TopicPartition {
  acknowledged: number
  failed: number
  error?: KafkaError
}

/** Counts what became of acknowledgements until the application asks. */
export class Outcomes {
  readonly #logger: Logger
  #counts = new Map<string, Counts>()

  constructor(logger: Logger) {
    this.#logger = logger
  }

  acknowledged(one: TopicPartition, count: number): void {
    if (count > 0) this.#of(one).acknowledged += count
  }

  failed(one: TopicPartition, count: number, error: KafkaError): void {
    if (count === 0) return
    const counts = this.#of(one)
    counts.failed += count
    counts.error ??= error
    this.#logger.warn(
      `${count} acknowledgements of ${nameOf(one)} have no effect, their messages are delivered again: ${error.message}`,
    )
  }

  /** The results since the last call, by topic and partition. */
  take(): readonly AcknowledgementResult[] {
    const results = [...this.#counts.values()].sort(inOrder)
    this.#counts = new Map()
    return results
  }

  #of({ topic, partition }: TopicPartition): Counts {
    const name = nameOf({ topic, partition })
    let counts = this.#counts.get(name)
    if (counts === undefined) {
      counts = { topic, partition, acknowledged: 0, failed: 0 }
      this.#counts.set(name, counts)
    }
    return counts
  }
}
