const OVER_MS = 1_000

/** How fast a count grows. */
export class Rate {
  #samples: { readonly at: number; readonly count: number }[] = []

  /** What it grew by in a second, judged by the last one. */
  perSecond(count: number): number {
    const at = performance.now()
    this.#samples.push({ at, count })
    while (this.#samples.length > 2 && at - this.#samples[1]!.at >= OVER_MS) this.#samples.shift()
    const first = this.#samples[0]!
    return at === first.at ? 0 : Math.round(((count - first.count) / (at - first.at)) * 1000)
  }
}
