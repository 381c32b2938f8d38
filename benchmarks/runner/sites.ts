import { startNullBroker } from './null-place.ts'
import { existingBrokers, startBroker, type Place } from './place.ts'
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
  readonly #signal: AbortSignal
  readonly #say: (text: string) => void
  readonly #values = new Values()
  #current: { readonly key: string; readonly site: Site } | undefined

  constructor(options: SitesOptions, signal: AbortSignal, say: (text: string) => void) {
    this.#options = options
    this.#signal = signal
    this.#say = say
  }

  async siteFor({ question, asked }: Contest): Promise<Site> {
    const version = asked.nullBroker ? 'null' : (question.kafka ?? this.#options.kafka)
    const key = `${version} ${asked.tls}`
    if (this.#current?.key !== key) {
      await this.#close()
      const site = new Site(await this.#open(version, asked.tls), this.#values, this.#signal)
      this.#current = { key, site }
    }
    return this.#current.site
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close()
    this.#values[Symbol.dispose]()
  }

  async #open(version: string, withTls: boolean): Promise<Place> {
    const { brokers } = this.#options
    if (version === 'null') return startNullBroker(this.#signal)
    if (brokers !== undefined) return existingBrokers(brokers)
    const onProgress = this.#say
    return startBroker({ version, withTls, signal: this.#signal, onProgress })
  }

  async #close(): Promise<void> {
    const { site } = this.#current ?? {}
    this.#current = undefined
    await site?.[Symbol.asyncDispose]()
  }
}
