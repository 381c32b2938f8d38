/** The label value that is used once there are too many label values. */
export const OTHER = '(other)'

/**
 * Has an entry of counters for each value of a label, such as each topic. The first values, up to the limit, have an
 * entry of their own. All later values share one entry with the label value `(other)`, so that memory does not grow
 * with the number of names that applications or brokers use.
 */
export class LabelMap<Counted> {
  readonly #limit: number
  readonly #make: (label: string) => Counted
  readonly #all = new Map<string, Counted>()
  #other: Counted | undefined

  constructor(limit: number, make: (label: string) => Counted) {
    this.#limit = limit
    this.#make = make
  }

  /** Returns the entry of a label value. Creates it if this is the first use of the value. */
  of(label: string): Counted {
    const known = this.#all.get(label)
    if (known !== undefined) return known
    if (this.#all.size >= this.#limit) return (this.#other ??= this.#make(OTHER))
    const made = this.#make(label)
    this.#all.set(label, made)
    return made
  }

  *[Symbol.iterator](): Generator<[label: string, counted: Counted]> {
    yield* this.#all
    if (this.#other !== undefined) yield [OTHER, this.#other]
  }
}
