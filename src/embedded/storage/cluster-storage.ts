import { PartitionLog } from '../log/partition-log.ts'
import { LogState } from '../log/log-state.ts'
import type { Save } from './saved-entry.ts'
import { SavedState } from './saved-state.ts'

export interface KeptLog {
  readonly log: PartitionLog
  readonly state: LogState
}

/** Stores the state of a cluster: in memory only, or in a folder as well. */
export interface ClusterStorage {
  /** The state when it was opened. */
  readonly saved: Pick<
    SavedState,
    | 'clusterId'
    | 'nextProducerId'
    | 'topics'
    | 'offsets'
    | 'groupConfigs'
    | 'clientMetrics'
    | 'shares'
    | 'transactions'
    | 'acls'
    | 'quotas'
    | 'scramUsers'
    | 'tokens'
  >
  readonly save: Save
  /** Whether `save` has an effect: then it is worth computing a large state for it. */
  readonly isKept: boolean
  /** A partition's log, as it was stored, or empty. */
  openLog(topicId: string, index: number, startOffset: number): KeptLog
  /** Deletes its records. */
  deleteTopic(id: string): void
  close(): void
}

export function memoryStorage(): ClusterStorage {
  return {
    saved: new SavedState(),
    save: () => undefined,
    isKept: false,
    openLog: () => ({ log: new PartitionLog(), state: new LogState() }),
    deleteTopic: () => undefined,
    close: () => undefined,
  }
}
