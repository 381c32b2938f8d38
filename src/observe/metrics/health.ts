/** Why a client is not healthy. */
export interface HealthReason {
  /** A code for programs. docs/observability.md lists them. */
  readonly code: HealthCode
  /** What is wrong, in words. */
  readonly message: string
  /** `live`: only a restart, or a new client or consumer, helps. `ready`: the problem may end by itself. */
  readonly affects: 'live' | 'ready'
}

/** The codes of `HealthReason`. */
export type HealthCode =
  | 'CLOSED'
  | 'NEVER_CONNECTED'
  | 'DISCONNECTED'
  | 'PRODUCER_QUEUE_FULL'
  | 'PRODUCER_STALLED'
  | 'CONSUMER_FAILED'
  | 'PARTITION_FAILED'
  | 'NOT_ASSIGNED'
  | 'MEMBERSHIP_UNCERTAIN'

/** What `client.health()` returns. */
export interface ClientHealth {
  /** The `clientId` of the client. */
  readonly clientId: string
  /** False if only a restart helps: for liveness probes. */
  readonly live: boolean
  /** Whether the client can work at the moment: for readiness probes. False if `live` is false. */
  readonly ready: boolean
  /** Why it is not live or not ready; empty if it is both. */
  readonly reasons: readonly HealthReason[]
}

export function healthOf(clientId: string, reasons: readonly HealthReason[]): ClientHealth {
  const live = reasons.every(({ affects }) => affects !== 'live')
  return { clientId, live, ready: reasons.length === 0, reasons }
}
