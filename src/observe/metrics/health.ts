/** Why a client is not healthy. */
export interface HealthReason {
  /** A code for programs. docs/observability.md lists them. */
  readonly code: HealthCode
  /** What is wrong, in words. */
  readonly message: string
  /** `live`: only a restart, or opening it again, helps. `ready`: it may pass by itself. */
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
  /** False where only a restart helps: for liveness probes. */
  readonly live: boolean
  /** Whether the client can do its work at the moment: for readiness probes. False where `live` is. */
  readonly ready: boolean
  /** Why it is not ready or not live; empty where it is both. */
  readonly reasons: readonly HealthReason[]
}

export function healthOf(clientId: string, reasons: readonly HealthReason[]): ClientHealth {
  const live = reasons.every(({ affects }) => affects !== 'live')
  return { clientId, live, ready: reasons.length === 0, reasons }
}
