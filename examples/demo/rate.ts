const OVER_MS = 1_000

/** The growth rate of a counter. */
export class Rate {
  #samples: { readonly at: number; readonly count: number }[] = []

  /** The growth per second, measured over the last second. */
  perSecond(count: number): number {
    const at = performance.now()
    this.#samples.push({ at, count })
    while (this.#samples.length > 2 && at - this.#samples[1]!.at >= OVER_MS) this.#samples.shift()
    const first = this.#samples[0]!
    return at === first.at ? 0 : Math.round(((count - first.count) / (at - first.at)) * 1000)
  }
}
