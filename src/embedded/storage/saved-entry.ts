/** The lines of a data folder's journal: all persistent state except the records. */

export interface SavedPartition {
  readonly replicas: readonly number[]
  readonly leaderEpoch: number
  readonly startOffset: number
}

/** The first and last offset of records, and their delivery count: 0 if they are finished. */
export type SavedShareRange = readonly [first: number, last: number, count: number]

export type SavedEntry =
  | { readonly kind: 'cluster'; readonly clusterId: string }
  /** Producer ids below it may have been allocated. */
  | { readonly kind: 'producerIds'; readonly next: string }
  /** Created or changed: the entry contains its whole state. */
  | {
      readonly kind: 'topic'
      readonly id: string
      readonly name: string
      readonly config: Readonly<Record<string, string>>
      readonly partitions: readonly SavedPartition[]
    }
  | { readonly kind: 'topicDeleted'; readonly id: string }
  | ({
      readonly kind: 'leader'
      readonly topicId: string
      readonly index: number
    } & Omit<SavedPartition, 'startOffset'>)
  | {
      readonly kind: 'logStart'
      readonly topicId: string
      readonly index: number
      readonly startOffset: number
    }
  | {
      readonly kind: 'offset'
      readonly group: string
      readonly topic: string
      readonly partition: number
      /** As decimal text: JSON has no int64. */
      readonly offset: string
      readonly leaderEpoch: number
      readonly metadata: string
    }
  | {
      readonly kind: 'offsetDeleted'
      readonly group: string
      readonly topic: string
      readonly partition: number
    }
  | { readonly kind: 'groupDeleted'; readonly group: string }
  /** All configs of a group. */
  | {
      readonly kind: 'groupConfig'
      readonly group: string
      readonly values: Readonly<Record<string, string>>
    }
  /** All configs of a client metrics resource (KIP-714). */
  | {
      readonly kind: 'clientMetrics'
      readonly name: string
      readonly values: Readonly<Record<string, string>>
    }
  /** The state of a share group in a partition. */
  | {
      readonly kind: 'share'
      readonly group: string
      readonly topicId: string
      readonly partition: number
      readonly startOffset: number
      readonly records: readonly SavedShareRange[]
    }
  | { readonly kind: 'shareDeleted'; readonly group: string; readonly topicId: string }
  /** A transactional id with its current state. */
  | {
      readonly kind: 'transaction'
      readonly id: string
      readonly producerId: string
      readonly producerEpoch: number
      readonly timeoutMs: number
      readonly isOpen: boolean
    }
  | ({ readonly kind: 'acl' | 'aclDeleted' } & SavedAcl)
  /** All current quotas of an entity. */
  | {
      readonly kind: 'quota'
      readonly entity: { readonly [part in 'user' | 'clientId' | 'ip']?: string | null }
      readonly values: Readonly<Record<string, number>>
    }
  /**
   * A user's credential for one mechanism, the bytes in base64. An entry without iterations means
   * that it was deleted.
   */
  | {
      readonly kind: 'scramUser'
      readonly user: string
      readonly mechanism: 'SCRAM-SHA-256' | 'SCRAM-SHA-512'
      readonly iterations: number
      readonly salt: string
      readonly storedKey: string
      readonly serverKey: string
    }
  | {
      readonly kind: 'token'
      readonly tokenId: string
      readonly owner: string
      readonly requester: string
      readonly renewers: readonly string[]
      readonly issueMs: number
      readonly maxMs: number
      readonly expiryMs: number
    }
  | { readonly kind: 'tokenDeleted'; readonly tokenId: string }

/** An ACL, with Kafka's numbers. */
interface SavedAcl {
  readonly resourceType: number
  readonly resourceName: string
  readonly patternType: number
  readonly principal: string
  readonly host: string
  readonly operation: number
  readonly permissionType: number
}

/** Stores an entry. Called before any client learns of the change. Throws Refused. */
export type Save = (entry: SavedEntry) => void

const ACL_FIELDS = {
  resourceType: 'number',
  resourceName: 'string',
  patternType: 'number',
  principal: 'string',
  host: 'string',
  operation: 'number',
  permissionType: 'number',
}
const FIELDS: Readonly<Record<SavedEntry['kind'], Readonly<Record<string, string>>>> = {
  cluster: { clusterId: 'string' },
  producerIds: { next: 'string' },
  topic: { id: 'string', name: 'string', config: 'object', partitions: 'object' },
  topicDeleted: { id: 'string' },
  leader: { topicId: 'string', index: 'number', replicas: 'object', leaderEpoch: 'number' },
  logStart: { topicId: 'string', index: 'number', startOffset: 'number' },
  offset: {
    group: 'string',
    topic: 'string',
    partition: 'number',
    offset: 'string',
    leaderEpoch: 'number',
    metadata: 'string',
  },
  offsetDeleted: { group: 'string', topic: 'string', partition: 'number' },
  groupDeleted: { group: 'string' },
  groupConfig: { group: 'string', values: 'object' },
  clientMetrics: { name: 'string', values: 'object' },
  share: {
    group: 'string',
    topicId: 'string',
    partition: 'number',
    startOffset: 'number',
    records: 'object',
  },
  shareDeleted: { group: 'string', topicId: 'string' },
  transaction: {
    id: 'string',
    producerId: 'string',
    producerEpoch: 'number',
    timeoutMs: 'number',
    isOpen: 'boolean',
  },
  acl: ACL_FIELDS,
  aclDeleted: ACL_FIELDS,
  quota: { entity: 'object', values: 'object' },
  scramUser: {
    user: 'string',
    mechanism: 'string',
    iterations: 'number',
    salt: 'string',
    storedKey: 'string',
    serverKey: 'string',
  },
  token: {
    tokenId: 'string',
    owner: 'string',
    requester: 'string',
    renewers: 'object',
    issueMs: 'number',
    maxMs: 'number',
    expiryMs: 'number',
  },
  tokenDeleted: { tokenId: 'string' },
}

/** The checksum of the line was correct, so this finds entries of a newer samsa. */
export function isSavedEntry(value: unknown): value is SavedEntry {
  if (typeof value !== 'object' || value === null || !('kind' in value)) return false
  const { kind } = value
  if (typeof kind !== 'string' || !Object.hasOwn(FIELDS, kind)) return false
  // `hasOwn` does not narrow the type of the name.
  const fields = Object.entries(FIELDS[kind as SavedEntry['kind']])
  return fields.every(([name, type]) => typeof Reflect.get(value, name) === type)
}
