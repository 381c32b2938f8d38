import type { Client } from '../keeper.ts'
import type { Session } from '../sessions.ts'
import type { Identity } from '../tree/acl.ts'
import type { EventType } from '../tree/transaction.ts'

/** The session of a connection, and the identities that its client has authenticated. */
export class AttachedClient implements Client {
  readonly session: Session
  readonly notify: (type: EventType, path: string) => void
  #identities: readonly Identity[]

  constructor(
    session: Session,
    address: string | undefined,
    notify: (type: EventType, path: string) => void,
  ) {
    this.session = session
    this.notify = notify
    this.#identities = [{ scheme: 'ip', id: address ?? '' }]
  }

  get identities(): readonly Identity[] {
    return this.#identities
  }

  /** Adds an identity that the client has authenticated. */
  add({ scheme, id }: Identity): void {
    const isKnown = this.#identities.some((one) => one.scheme === scheme && one.id === id)
    if (!isKnown) this.#identities = [...this.#identities, { scheme, id }]
  }
}
