interface Problems {
  /** The error code that the metadata has for the topic. */
  metadata?: number | undefined
  /** The error code with which brokers refuse fetches of its partitions. */
  fetch?: number | undefined
}

/**
 * The topics whose errors the application knows: it gets each error of a topic once, however many partitions and
 * responses have it, and again after the topic had another error or none.
 */
export class TopicProblems {
  readonly #topics = new Map<string, Problems>()

  /** Returns true if the application has to get this error. */
  isNew(topic: string, source: keyof Problems, errorCode: number): boolean {
    const known = this.#topics.get(topic) ?? {}
    const isKnown = known.metadata === errorCode || known.fetch === errorCode
    this.#topics.set(topic, { ...known, [source]: errorCode })
    return !isKnown
  }

  /** A response of this source no longer has an error for the topic. */
  solved(topic: string, source: keyof Problems): void {
    const known = this.#topics.get(topic)
    if (known !== undefined) known[source] = undefined
  }
}
