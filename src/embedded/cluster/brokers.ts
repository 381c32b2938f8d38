import { Refused } from '../refused.ts'

/** The brokers of the cluster, running or not. */
export interface BrokerInfo {
  readonly id: number
  readonly host: string
  /** 0 until it is started for the first time. */
  readonly port: number
  /** Kafka's `broker.rack`; null if it has none. */
  readonly rack: string | null
  readonly isAlive: boolean
  /** The port of the listener with that name; undefined if the broker has none. */
  portOf(listener: string): number | undefined
}

export class Brokers {
  readonly #all: readonly BrokerInfo[]
  readonly #unregistered = new Set<number>()

  constructor(all: readonly BrokerInfo[]) {
    this.#all = all
  }

  /** The registered brokers. */
  get all(): readonly BrokerInfo[] {
    return this.#all.filter(({ id }) => !this.#unregistered.has(id))
  }

  /**
   * Forgets a stopped broker until it starts again. A running broker stays registered. Throws
   * BROKER_ID_NOT_REGISTERED.
   */
  unregister(id: number): void {
    if (this.find(id) === undefined) {
      const detail = `Broker ID ${id} is not currently registered`
      throw new Refused('BROKER_ID_NOT_REGISTERED', detail)
    }
    if (!this.isAlive(id)) this.#unregistered.add(id)
  }

  started(id: number): void {
    this.#unregistered.delete(id)
  }

  get alive(): readonly BrokerInfo[] {
    return this.#all.filter(({ isAlive }) => isAlive)
  }

  isAlive(id: number): boolean {
    return this.#all.some((broker) => broker.id === id && broker.isAlive)
  }

  find(id: number): BrokerInfo | undefined {
    return this.all.find((broker) => broker.id === id)
  }

  /** The first running broker: in this cluster every broker can do the controller's work. */
  get controllerId(): number {
    return this.alive[0]?.id ?? -1
  }
}
