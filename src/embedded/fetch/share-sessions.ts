/** Share sessions (KIP-932): the broker remembers the partitions that a member of a share group fetches. */
import { Refused } from '../refused.ts'

/** A partition in a request. */
export interface SharedPartition {
  readonly topicId: string
  readonly partition: number
}

/** The fields of ShareFetch and ShareAcknowledge that name a session. */
export interface ShareSessionFields {
  readonly groupId: string | null
  readonly memberId: string | null
  readonly shareSessionEpoch: number
}

export interface ShareSession {
  /** The epoch that the next request must have. */
  nextEpoch: number
  readonly partitions: Map<string, SharedPartition>
  /** The session no longer ends with the connection. */
  readonly stopWatching: () => void
}

export const OPENING = 0
export const CLOSING = -1
const LAST_EPOCH = 0x7fffffff

export function sharedPartitionKey({ topicId, partition }: SharedPartition): string {
  return `${topicId} ${partition}`
}

/** The share sessions of a broker, by group and member. */
export class ShareSessions {
  readonly #sessions = new Map<string, ShareSession>()

  find(fields: ShareSessionFields): ShareSession | undefined {
    return this.#sessions.get(keyOf(fields))
  }

  /** Opens a session, which replaces an earlier one of the same member. */
  open(fields: ShareSessionFields, stopWatching: () => void): ShareSession {
    this.find(fields)?.stopWatching()
    const opened: ShareSession = { nextEpoch: 1, partitions: new Map(), stopWatching }
    this.#sessions.set(keyOf(fields), opened)
    return opened
  }

  /** Returns the session of a request that does not open one, with its epoch incremented. Throws Refused. */
  continued(fields: ShareSessionFields): ShareSession {
    const { shareSessionEpoch: epoch } = fields
    const session = this.find(fields)
    if (session === undefined) throw new Refused('SHARE_SESSION_NOT_FOUND')
    if (epoch === CLOSING) {
      this.remove(fields)
      session.stopWatching()
    } else if (epoch !== session.nextEpoch) throw new Refused('INVALID_SHARE_SESSION_EPOCH')
    else session.nextEpoch = epoch === LAST_EPOCH ? 1 : epoch + 1
    return session
  }

  remove(fields: ShareSessionFields): void {
    this.#sessions.delete(keyOf(fields))
  }
}

function keyOf({ groupId, memberId }: ShareSessionFields): string {
  return `${groupId ?? ''} ${memberId ?? ''}`
}
