import { startNullBroker } from './null-place.ts'
import { existingBrokers, startBroker, stormJars, type Place } from './place.ts'
import { Site } from './site.ts'
import type { Contest } from './contests.ts'
import { Values } from './values.ts'

export interface SitesOptions {
  readonly brokers?: string
  readonly kafka: string
}

/** The brokers of a run, one at a time: the next is started when a question needs another. */
export class Sites implements AsyncDisposable {
  readonly #options: SitesOptions
  /** In the order in which they are held. */
  readonly #contests: readonly Contest[]
  readonly #signal: AbortSignal
  readonly #say: (text: string) => void
  readonly #values = new Values()
  #current: { readonly version: string; readonly site: Site } | undefined

  constructor(
    options: SitesOptions,
    contests: readonly Contest[],
    signal: AbortSignal,
    say: (text: string) => void,
  ) {
    this.#options = options
    this.#contests = contests
    this.#signal = signal
    this.#say = say
  }

  async siteFor(contest: Contest): Promise<Site> {
    const version = this.#versionFor(contest)
    const { version: current, site } = this.#current ?? {}
    if (site !== undefined && current === version && site.place.isAlive()) {
      const coming = this.#contests.slice(this.#contests.indexOf(contest))
      const itsOwn = coming.filter((one) => this.#versionFor(one) === version)
      await site.keepFor(itsOwn.map(({ asked }) => asked))
      return site
    }
    await this.#close()
    const opened = new Site(await this.#open(version), this.#values, this.#signal)
    this.#current = { version, site: opened }
    return opened
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close()
    this.#values[Symbol.dispose]()
  }

  #versionFor({ question, asked }: Contest): string {
    if (asked.task === 'storm') return 'storm'
    return asked.nullBroker ? 'null' : (question.kafka ?? this.#options.kafka)
  }

  async #open(version: string): Promise<Place> {
    const { brokers } = this.#options
    if (version === 'null') return startNullBroker(this.#signal)
    if (version === 'storm') return stormJars()
    if (brokers !== undefined) return existingBrokers(brokers)
    const withTls = this.#contests.some(({ asked }) => asked.tls)
    const withZooKeeper = this.#contests.some(({ asked }) => asked.zookeeper)
    const [signal, onProgress] = [this.#signal, this.#say]
    return startBroker({ version, withTls, withZooKeeper, signal, onProgress })
  }

  async #close(): Promise<void> {
    const { site } = this.#current ?? {}
    this.#current = undefined
    await site?.[Symbol.asyncDispose]()
  }
}
