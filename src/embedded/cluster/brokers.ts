/** The brokers of the cluster, running or not. */
export interface BrokerInfo {
  readonly id: number
  readonly host: string
  /** 0 until it is started for the first time. */
  readonly port: number
  readonly isAlive: boolean
  /** The port of its listener with that name; undefined if it has none. */
  portOf(listener: string): number | undefined
}

export class Brokers {
  readonly #all: readonly BrokerInfo[]

  constructor(all: readonly BrokerInfo[]) {
    this.#all = all
  }

  get all(): readonly BrokerInfo[] {
    return this.#all
  }

  get alive(): readonly BrokerInfo[] {
    return this.#all.filter(({ isAlive }) => isAlive)
  }

  isAlive(id: number): boolean {
    return this.#all.some((broker) => broker.id === id && broker.isAlive)
  }

  find(id: number): BrokerInfo | undefined {
    return this.#all.find((broker) => broker.id === id)
  }

  /** The first running broker: in this cluster every broker can do the controller's work. */
  get controllerId(): number {
    return this.alive[0]?.id ?? -1
  }
}
