/** The label value of what is counted together once there are too many label values. */
export const OTHER = '(other)'

/**
 * What is counted for each value of a label, such as a topic. It has a limit: what comes later is counted together
 * under the label value `(other)`, so that memory does not grow with names that applications or brokers make up.
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
