import type { Api } from '../../protocol/schema/api.ts'
import type { Decoded, Encodable, Fields } from '../../protocol/schema/fields.ts'
import { SocketDisconnectedError } from '../errors.ts'
import { formatAddress, type Address } from './address.ts'
import { askVersions, BrokerVersions } from './api-versions.ts'
import { Connection, type ConnectionOptions } from './connection.ts'

/**
 * What a connection is for. Each purpose has its own, opened when it is first used, so that a long poll
 * never holds up a produce request, nor either of them a heartbeat.
 */
export type Purpose = 'produce' | 'fetch' | 'general'

export interface RequestOptions {
  readonly timeoutMs: number
  readonly purpose?: Purpose
  /** The highest version to use, where the caller cannot fill later ones. */
  readonly maxVersion?: number
}

/** A body, or how to make one for the version that is negotiated. */
export type BodyFor<Request extends Fields> =
  Encodable<Request> | ((version: number, versions: BrokerVersions) => Encodable<Request>)

interface Session {
  readonly connection: Connection
  readonly versions: BrokerVersions
}

/** A broker at one address: its connections, and the versions negotiated on them. */
export class Broker {
  /** −1 for a bootstrap address, of which it isn't known which broker answers. */
  readonly nodeId: number
  readonly address: Address
  readonly name: string
  readonly #options: ConnectionOptions
  readonly #sessions = new Map<Purpose, Promise<Session>>()
  /** Set once the broker has proved to be older than 0.10, by answering after a refusal of ApiVersions. */
  #isOldest = false

  constructor(nodeId: number, address: Address, options: ConnectionOptions) {
    this.nodeId = nodeId
    this.address = address
    this.name = formatAddress(address)
    this.#options = options
  }

  /** Sends a request in the highest version that both know and resolves with the response. */
  async request<Request extends Fields, Response extends Fields>(
    api: Api<Request, Response>,
    body: BodyFor<Request>,
    { timeoutMs, purpose = 'general', maxVersion }: RequestOptions,
  ): Promise<Decoded<Response>> {
    const { connection, versions } = await this.#session(purpose)
    const version = versions.pick(api, maxVersion)
    const given = typeof body === 'function' ? body(version, versions) : body
    return connection.request(api, version, given, timeoutMs)
  }

  /** Sends a request that gets no response: resolves when it is handed to the socket. */
  async send<Request extends Fields, Response extends Fields>(
    api: Api<Request, Response>,
    body: BodyFor<Request>,
    { purpose = 'general', maxVersion }: Omit<RequestOptions, 'timeoutMs'>,
  ): Promise<void> {
    const { connection, versions } = await this.#session(purpose)
    const version = versions.pick(api, maxVersion)
    connection.send(api, version, typeof body === 'function' ? body(version, versions) : body)
  }

  /** What the broker speaks; connects if need be. */
  async versions(purpose: Purpose = 'general'): Promise<BrokerVersions> {
    return (await this.#session(purpose)).versions
  }

  /** Closes all connections at once. They open again if the broker is used again. */
  close(): void {
    const sessions = [...this.#sessions.values()]
    this.#sessions.clear()
    for (const session of sessions) {
      session.then(({ connection }) => connection.close()).catch(() => undefined)
    }
  }

  async #session(purpose: Purpose): Promise<Session> {
    const current = this.#sessions.get(purpose)
    if (current !== undefined) {
      const session = await current
      if (session.connection.isOpen) return session
      // Someone who waited for the same one may have opened a new one meanwhile.
      if (this.#sessions.get(purpose) !== current) return this.#session(purpose)
    }
    const opening = this.#open()
    this.#sessions.set(purpose, opening)
    try {
      return await opening
    } catch (error) {
      if (this.#sessions.get(purpose) === opening) this.#sessions.delete(purpose)
      throw error
    }
  }

  async #open(): Promise<Session> {
    const connection = await Connection.open(this.address, this.#options)
    if (this.#isOldest) return { connection, versions: BrokerVersions.oldest(this.name) }
    try {
      return { connection, versions: await askVersions(connection, this.#options.connectTimeoutMs) }
    } catch (error) {
      connection.close()
      if (!(error instanceof SocketDisconnectedError && connection.wasSilent)) throw error
      return this.#openAsOldest()
    }
  }

  /**
   * Brokers before 0.10 close a connection on which they are asked for their versions. So do TLS listeners
   * and overloaded proxies: it counts only once the broker has answered in the oldest versions.
   */
  async #openAsOldest(): Promise<Session> {
    const connection = await Connection.open(this.address, this.#options)
    connection.onFirstResponse(() => {
      this.#isOldest = true
    })
    return { connection, versions: BrokerVersions.oldest(this.name) }
  }
}
