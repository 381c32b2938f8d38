import type { Broker } from '../network/broker.ts'
import { ShareSource, type ShareSourceOptions } from './share-source.ts'

/** The sources of the brokers that lead assigned partitions, or whose acquired records are not all acknowledged. */
export class ShareSources implements Iterable<ShareSource> {
  readonly #brokers: () => ReadonlyMap<number, Broker>
  readonly #options: ShareSourceOptions
  readonly #sources = new Map<Broker, ShareSource>()

  constructor(brokers: () => ReadonlyMap<number, Broker>, options: ShareSourceOptions) {
    this.#brokers = brokers
    this.#options = options
  }

  [Symbol.iterator](): IterableIterator<ShareSource> {
    return this.#sources.values()
  }

  /**
   * Returns the source of a broker, which is created by the first call: then another broker may have gone. `wanted` are
   * the assigned partitions, by their session keys.
   */
  of(broker: Broker, wanted: ReadonlyMap<string, unknown>): ShareSource {
    let source = this.#sources.get(broker)
    if (source === undefined) {
      source = new ShareSource(broker, this.#options)
      this.#sources.set(broker, source)
      this.tidy(wanted)
    }
    return source
  }

  /**
   * Removes the partitions that are not among these, and the sources of brokers that have gone, once nothing of them is
   * open.
   */
  tidy(wanted: ReadonlyMap<string, unknown>): void {
    for (const [broker, source] of this.#sources) {
      if (source.isBusy) continue
      source.forgetUnused(wanted)
      const isGone = this.#brokers().get(broker.nodeId) !== broker
      if (isGone && !source.hasOpenRecords && !source.hasAcknowledgements) {
        this.#sources.delete(broker)
      }
    }
  }
}
