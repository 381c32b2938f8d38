import type { Broker } from '../../network/broker.ts'
import type { PartitionState } from '../partition-state.ts'
import { Source } from './source.ts'

/** After this number of consecutive large responses a second request is kept in flight. */
const LARGE_RESPONSES = 4

/**
 * The sources of one broker, and which of them fetches which partition.
 *
 * While a consumer checks the checksums of a large response, the broker has nothing to do for it, and while the broker
 * sends the next one, the consumer waits. Two requests in flight, each for half of the partitions, keep both at work.
 * Measured with four partitions of a broker on the same two cores (Node 24, load average 1 to 1.5): values of 10 KiB
 * 246,000 and 242,000 instead of 142,000 and 175,000 messages/s, for the same CPU or less; values of 1 MiB a tenth
 * more; values of 1 KiB no difference, because decoding them keeps the consumer busy. If other programs occupy the
 * cores (load average 3 to 10), they gain little and cost up to 25 % more CPU. A consumer that receives little would
 * only poll twice as often.
 */
export class BrokerSources {
  readonly #broker: Broker
  readonly #isFixed: boolean
  readonly #sources: Source[]
  readonly #sourceOf = new Map<PartitionState, Source>()

  /** `count`: the number of sources; undefined: one, and two while responses are large. */
  constructor(broker: Broker, count: number | undefined) {
    this.#broker = broker
    this.#isFixed = count !== undefined
    this.#sources = Array.from({ length: count ?? 1 }, () => new Source(broker))
  }

  get all(): readonly Source[] {
    return this.#sources
  }

  /** Returns the source that fetches the partition. A new partition gets the source with the fewest partitions. */
  of(state: PartitionState): Source {
    let source = this.#sourceOf.get(state)
    if (source === undefined) {
      source = this.#sources.reduce((least, one) =>
        one.partitions < least.partitions ? one : least,
      )
      source.partitions++
      this.#sourceOf.set(state, source)
    }
    return source
  }

  /** The partition is not fetched from this broker any more. */
  remove(state: PartitionState): void {
    const source = this.#sourceOf.get(state)
    if (source === undefined) return
    source.partitions--
    this.#sourceOf.delete(state)
  }

  /** Call this after a response of one of the sources, which has nothing in flight then. */
  adapt(): void {
    const [first, second] = this.#sources
    if (this.#isFixed || first === undefined) return
    if (second === undefined) {
      if (first.largeResponses < LARGE_RESPONSES || first.partitions < 2) return
      this.#sources.push(new Source(this.#broker))
    } else {
      if (!first.isQuiet || !second.isQuiet) return
      second.cut()
      this.#sources.pop()
    }
    this.#sourceOf.clear()
    for (const source of this.#sources) source.startAgain()
  }
}
