/** What a data folder's journal says, a line each: all that lasts, but for the records themselves. */

export interface SavedPartition {
  readonly replicas: readonly number[]
  readonly leaderEpoch: number
  readonly startOffset: number
}

export type SavedEntry =
  | { readonly kind: 'cluster'; readonly clusterId: string }
  /** Producer ids below it may have been given out. */
  | { readonly kind: 'producerIds'; readonly next: string }
  /** Made, or changed: this is all of it now. */
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
      /** In decimals: JSON has no int64. */
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
  /** A transactional id, as it is now. */
  | {
      readonly kind: 'transaction'
      readonly id: string
      readonly producerId: string
      readonly producerEpoch: number
      readonly timeoutMs: number
      readonly isOpen: boolean
    }

/** Notes what is to last. It is called before the change is made known to anyone. Throws Refused. */
export type Save = (entry: SavedEntry) => void

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
  transaction: {
    id: 'string',
    producerId: 'string',
    producerEpoch: 'number',
    timeoutMs: 'number',
    isOpen: 'boolean',
  },
}

/** The checksum of its line was right: this tells entries of a samsa that is yet to come. */
export function isSavedEntry(value: unknown): value is SavedEntry {
  if (typeof value !== 'object' || value === null || !('kind' in value)) return false
  const { kind } = value
  if (typeof kind !== 'string' || !Object.hasOwn(FIELDS, kind)) return false
  const fields = Object.entries(FIELDS[kind as SavedEntry['kind']])
  return fields.every(([name, type]) => typeof Reflect.get(value, name) === type)
}
