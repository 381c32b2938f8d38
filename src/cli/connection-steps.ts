/**
 * The steps of a connection to a broker, the duration of each, and the one that failed. DNS and TCP
 * are tested without the client. The other steps are measured by the client's events, on a
 * connection like that of every command.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { lookup } from 'node:dns/promises'
import { connect } from 'node:net'
import type { ConnectEvent, RequestEvent } from '../index.ts'
import { messageOf } from './failure.ts'

export interface Step {
  readonly broker: string
  readonly step: string
  readonly tookMs?: number
  readonly detail?: string
  readonly error?: string
  /** The remedy for the error. */
  readonly hint?: string
}

/** The security settings of a connection. */
export interface Security {
  readonly isTls: boolean
  readonly isSasl: boolean
}

/** Tests DNS and TCP. Resolves with whether both succeeded. */
export async function reachAddress(
  address: string,
  timeoutMs: number,
  steps: Step[],
  name = address,
): Promise<boolean> {
  const match = /^\[?(.+?)\]?:(\d{1,5})$/.exec(address)
  const [host, port] = match === null ? [address, 9092] : [match[1]!, Number(match[2])]
  const isResolved = await timedStep(name, 'DNS', steps, async () => {
    const found = await lookup(host, { all: true })
    return found.map((one) => one.address).join(', ')
  })
  if (!isResolved) return false
  return timedStep(name, 'TCP', steps, async () => {
    await connected(host, port, timeoutMs)
    return undefined
  })
}

async function connected(host: string, port: number, timeoutMs: number): Promise<void> {
  const socket = connect({ host, port })
  try {
    await new Promise<void>((resolve, reject) => {
      socket.setTimeout(timeoutMs, () => {
        const error = new Error(`no response within ${timeoutMs} ms`)
        reject(Object.assign(error, { code: 'ETIMEDOUT' }))
      })
      socket.once('connect', resolve)
      socket.once('error', reject)
    })
  } finally {
    socket.destroy()
  }
}

/** Runs a step. Resolves with whether it succeeded. */
export async function timedStep(
  broker: string,
  step: string,
  steps: Step[],
  run: () => Promise<string | undefined>,
): Promise<boolean> {
  const startedAt = performance.now()
  const took = () => performance.now() - startedAt
  try {
    const detail = await run()
    steps.push({ broker, step, tookMs: took(), ...(detail === undefined ? {} : { detail }) })
    return true
  } catch (error) {
    steps.push({ broker, step, tookMs: took(), ...failure(error) })
    return false
  }
}

const LOGIN_APIS = new Set(['SaslHandshake', 'SaslAuthenticate'])

/** Observes the client's connection to an address, from its creation until it is disposed of. */
export class ConnectionSteps implements Disposable {
  readonly #address: string
  readonly #name: string
  readonly #security: Security
  readonly #requests: RequestEvent[] = []
  #connected: ConnectEvent | undefined
  readonly #onConnect = (event: unknown): void => {
    // A channel has no type for what it publishes.
    const found = event as ConnectEvent
    if (found.broker === this.#address) this.#connected = found
  }
  readonly #onRequest = (event: unknown): void => {
    // As above.
    const found = event as RequestEvent
    if (found.broker === this.#address) this.#requests.push(found)
  }

  /** `name` is the broker's name in the steps. */
  constructor(address: string, security: Security, name = address) {
    this.#address = /:\d+$/.test(address) ? address : `${address}:9092`
    this.#name = name
    this.#security = security
    subscribe('samsa:connect', this.#onConnect)
    subscribe('samsa:request', this.#onRequest)
  }

  /** The completed steps; the last one has the error if there was one. */
  steps(error: unknown, detail?: string): readonly Step[] {
    const broker = this.#name
    // The connection has the reason: the error of the call only reports that no broker could be
    // reached.
    const reason = this.#connected?.error ?? error
    const failedAt = error === undefined ? undefined : this.#failedStep(reason)
    const found: Step[] = []
    for (const [step, tookMs] of this.#times()) {
      if (step === failedAt) {
        found.push({ broker, step, tookMs, ...failure(reason) })
        return found
      }
      const isLast = step === 'metadata' && detail !== undefined
      found.push({ broker, step, tookMs, ...(isLast ? { detail } : {}) })
    }
    if (failedAt !== undefined) found.push({ broker, step: failedAt, ...failure(reason) })
    return found
  }

  #times(): readonly (readonly [string, number])[] {
    const sumOf = (isIt: (api: string) => boolean): number | undefined => {
      const times = this.#requests.filter(({ api }) => isIt(api)).map((one) => one.durationMs)
      return times.length === 0 ? undefined : times.reduce((sum, one) => sum + one, 0)
    }
    // The first request is part of the connection; the call that pings may send another one of the
    // same API.
    const first = this.#requests.find(({ api }) => api === 'ApiVersions')
    const login = sumOf((api) => LOGIN_APIS.has(api))
    const handshake = this.#connected?.durationMs
    const tls = (handshake ?? 0) - (first?.durationMs ?? 0) - (login ?? 0)
    const metadata = sumOf((api) => api === 'Metadata' || api === 'DescribeCluster')
    const all: readonly (readonly [string, number | undefined])[] = [
      // The rest of the connection's time: another TCP connection, and TLS.
      ['TLS', this.#security.isTls && handshake !== undefined ? Math.max(0, tls) : undefined],
      ['versions', handshake === undefined ? undefined : first?.durationMs],
      ['login', login],
      ['metadata', metadata],
    ]
    return all.flatMap(([step, ms]) => (ms === undefined ? [] : [[step, ms] as const]))
  }

  #failedStep(error: unknown): string {
    const found = error instanceof Error ? error : new Error(String(error))
    const message = found.message
    if (found.name === 'TlsError' || /TLS alert|want(?:s)? TLS/.test(message)) {
      // Without TLS on this side, a silent close may also mean that a login is missing.
      if (this.#security.isTls || /TLS alert/.test(message)) return 'TLS'
    }
    if (found.name === 'AuthenticationError') return 'login'
    if (/require a login/.test(message)) return 'login'
    // The connection was ready, so the next step did not complete.
    if (this.#connected !== undefined && this.#connected.error === undefined) return 'metadata'
    const last = this.#requests.at(-1)?.api
    if (last === undefined) return this.#security.isTls ? 'TLS' : 'versions'
    // If a broker never responds, the client also tries other requests, because it may be an old
    // broker.
    const hasAnswered = this.#requests.some((request) => request.error === undefined)
    if (last === 'ApiVersions' || !hasAnswered) return 'versions'
    return LOGIN_APIS.has(last) ? 'login' : 'metadata'
  }

  [Symbol.dispose](): void {
    unsubscribe('samsa:connect', this.#onConnect)
    unsubscribe('samsa:request', this.#onRequest)
  }
}

function failure(error: unknown): { readonly error: string; readonly hint?: string } {
  const hint = hintFor(error)
  return { error: messageOf(error), ...(hint === undefined ? {} : { hint }) }
}

const HINTS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'The name does not resolve: check --brokers and the DNS of this machine',
  EAI_AGAIN: 'The DNS server does not respond: check the network of this machine',
  ECONNREFUSED: 'Nothing listens on this port: check the port, and whether the broker is running',
  ETIMEDOUT: 'The address does not respond: check firewalls and the listener of the broker',
  EHOSTUNREACH: 'There is no route to this address: check the network and the VPN',
  ENETUNREACH: 'There is no route to this address: check the network and the VPN',
  TLS_HANDSHAKE_FAILED: 'Check --tls and --ca, and whether the port is the one of the TLS listener',
  SASL_AUTHENTICATION_FAILED: 'Check the user, the password and the mechanism',
  UNSUPPORTED_SASL_MECHANISM: 'The broker requires another mechanism: see --mechanism',
  SASL_SERVER_NOT_TRUSTED: 'The server does not know the password: check the address',
  NOT_KAFKA: 'Check the port: the server is not a broker, or requires TLS (--tls)',
  CONNECTION_CLOSED: 'Check whether the listener requires TLS (--tls) or a login (--user)',
  REQUEST_TIMED_OUT: 'The broker accepts connections but does not respond: see its log',
  CONNECTION_TIMED_OUT:
    'The server on this port does not respond: check that it is a broker, and that it is healthy',
  CLUSTER_AUTHORIZATION_FAILED: 'The user is not authorized to do this: see samsa acls',
  TOPIC_AUTHORIZATION_FAILED: 'The user is not authorized to use the topic: see samsa acls',
  UNKNOWN_TOPIC_OR_PARTITION: 'Create the topic: samsa topic create',
}

function hintFor(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (Object.hasOwn(HINTS, code)) return HINTS[code]
  const cause = error instanceof Error ? error.cause : undefined
  return cause === undefined ? undefined : hintFor(cause)
}
