import { randomUUID } from 'node:crypto'
import type { ErrorName } from '../../../protocol/errors.ts'
import type { Timer } from '../timers.ts'

export interface Protocol {
  readonly name: string
  readonly metadata: Uint8Array
}

export interface JoinRequest {
  readonly memberId: string
  readonly instanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
  readonly protocolType: string
  readonly protocols: readonly Protocol[]
  /**
   * A new member first receives an id, with which it must join again (KIP-394; JoinGroup from v4).
   */
  readonly needsMemberId: boolean
  /**
   * A leader that rejoins without a change can get a response that makes it skip the assignment
   * (KIP-814; from v9).
   */
  readonly canSkipAssignment: boolean
}

export interface JoinAnswer {
  readonly error: ErrorName
  readonly memberId: string
  readonly generation: number
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly leader: string
  readonly skipAssignment: boolean
  readonly members: readonly {
    readonly memberId: string
    readonly groupInstanceId: string | null
    readonly metadata: Uint8Array
  }[]
}

export interface SyncAnswer {
  readonly error: ErrorName
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly assignment: Uint8Array
}

export const NO_BYTES = new Uint8Array(0)

export interface Member {
  readonly id: string
  readonly instanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  sessionTimeoutMs: number
  rebalanceTimeoutMs: number
  protocols: readonly Protocol[]
  assignment: Uint8Array
  /** Answers the member's JoinGroup, while it waits. */
  awaitingJoin: ((answer: JoinAnswer) => void) | undefined
  /** Answers the member's SyncGroup, while it waits. */
  awaitingSync: ((answer: SyncAnswer) => void) | undefined
  session: Timer | undefined
}

export function newMember(id: string, request: JoinRequest): Member {
  return {
    id,
    instanceId: request.instanceId,
    clientId: request.clientId,
    clientHost: request.clientHost,
    sessionTimeoutMs: request.sessionTimeoutMs,
    rebalanceTimeoutMs: request.rebalanceTimeoutMs,
    protocols: kept(request.protocols),
    assignment: NO_BYTES,
    awaitingJoin: undefined,
    awaitingSync: undefined,
    session: undefined,
  }
}

/**
 * Copies the metadata: in a request it is a view on the request's frame, which must not stay in memory as long as the
 * group.
 */
export function kept(protocols: readonly Protocol[]): readonly Protocol[] {
  return protocols.map(({ name, metadata }) => ({ name, metadata: Uint8Array.from(metadata) }))
}

/** Generates a member id as Kafka does: from the client id, or from the instance id of a static member. */
export function newMemberId({ instanceId, clientId }: JoinRequest): string {
  return `${instanceId ?? clientId}-${randomUUID()}`
}

export function metadataOf({ protocols }: Member, protocolName: string | null): Uint8Array {
  return protocols.find(({ name }) => name === protocolName)?.metadata ?? NO_BYTES
}

export function sameProtocols(member: Member, protocols: readonly Protocol[]): boolean {
  return (
    member.protocols.length === protocols.length &&
    member.protocols.every(({ name, metadata }, index) => {
      const other = protocols[index]
      return other?.name === name && Buffer.compare(other.metadata, metadata) === 0
    })
  )
}

/** The protocol that all members support and that most of them prefer. */
export function electProtocol(members: readonly Member[]): string | null {
  const names = commonProtocols(members)
  const votes = new Map<string, number>()
  for (const { protocols } of members) {
    const vote = protocols.find(({ name }) => names.has(name))?.name
    if (vote !== undefined) votes.set(vote, (votes.get(vote) ?? 0) + 1)
  }
  let elected: string | null = null
  for (const [name, count] of votes) {
    if (elected === null || count > (votes.get(elected) ?? 0)) elected = name
  }
  return elected
}

export function commonProtocols(members: readonly Member[]): ReadonlySet<string> {
  const [first, ...others] = members
  const names = first?.protocols.map(({ name }) => name) ?? []
  return new Set(
    names.filter((name) =>
      others.every(({ protocols }) => protocols.some((protocol) => protocol.name === name)),
    ),
  )
}
