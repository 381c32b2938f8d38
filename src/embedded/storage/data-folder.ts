/**
 * A folder that stores the data of a cluster:
 *
 *     lock, lock.*               the process that uses it (folder-lock.ts)
 *     journal                    topics, configs, leaders, committed offsets, …
 *     logs/<topic id>/<partition>/<first offset>.log   records, in Kafka's own format
 *
 * All data is written to the system before it is acknowledged, but not flushed to the disk:
 * acknowledged data survives any end of the process, but not a failure of the machine.
 */
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { ClosedError } from '../../errors.ts'
import { EmbeddedClusterError } from '../embedded-cluster-error.ts'
import type { ClusterStorage, KeptLog } from './cluster-storage.ts'
import { FolderLock } from './folder-lock.ts'
import { Journal, readJournal } from './journal.ts'
import { loadLog } from './load-log.ts'
import { namesIn } from './names-in.ts'
import { OpenFiles } from './open-files.ts'
import { baseOffsetOf, PartitionFiles, stored } from './partition-files.ts'
import type { SavedEntry } from './saved-entry.ts'
import { SavedState } from './saved-state.ts'

/** The journal is rewritten when it is larger than this, and most of it is out of date. */
const REWRITE_FROM_BYTES = 1024 * 1024
const REWRITE_AT_GROWTH = 4
/**
 * A start does not rewrite the journal to remove fewer entries than this: that does not justify waiting for the disk.
 */
const SPARE_ENTRIES = 1_000

export class DataFolder implements ClusterStorage {
  readonly saved = new SavedState()
  readonly isKept = true
  readonly #logs: string
  readonly #lock: FolderLock
  readonly #open = new OpenFiles()
  readonly #onWarning: (message: string) => void
  #journal: Journal
  #rewriteAtBytes: number
  #isClosed = false

  private constructor(folder: string, lock: FolderLock, onWarning: (message: string) => void) {
    this.#logs = join(folder, 'logs')
    this.#lock = lock
    this.#onWarning = onWarning
    const file = join(folder, 'journal')
    const { entries, wholeBytes, cutBytes } = readJournal(file)
    if (cutBytes > 0)
      onWarning(`truncated ${file} by ${cutBytes} bytes that were written only in part`)
    for (const entry of entries) this.saved.apply(entry)
    const needed = [...this.saved.entries()]
    this.#journal =
      entries.length > needed.length * REWRITE_AT_GROWTH + SPARE_ENTRIES
        ? Journal.create(file, needed)
        : Journal.open(file, wholeBytes)
    this.#rewriteAtBytes = rewriteAt(this.#journal)
    this.#readLogs(entries)
  }

  /** Throws EmbeddedClusterError if another process uses the folder, or if it cannot be used. */
  static open(folder: string, onWarning: (message: string) => void): DataFolder {
    return usable(folder, () => {
      mkdirSync(folder, { recursive: true })
      const lock = FolderLock.take(folder)
      try {
        return new DataFolder(folder, lock, onWarning)
      } catch (error) {
        lock.release()
        throw error
      }
    })
  }

  readonly save = (entry: SavedEntry): void => {
    if (this.#isClosed) throw new ClosedError('embedded cluster')
    stored(() => {
      if (entry.kind === 'topic') this.#makeFolders(entry)
      this.#journal.append(entry)
    })
    this.saved.apply(entry)
    if (this.#journal.sizeBytes >= this.#rewriteAtBytes) this.#rewrite()
  }

  openLog(topicId: string, index: number, startOffset: number): KeptLog {
    const folder = this.#folderOf(topicId, index)
    if (this.saved.hasPartition(topicId, index) && !existsSync(folder)) {
      this.#onWarning(`${folder} is missing: the partition starts empty at offset ${startOffset}`)
      mkdirSync(folder, { recursive: true })
    }
    const onStartMoved = (moved: number) =>
      this.save({ kind: 'logStart', topicId, index, startOffset: moved })
    const files = new PartitionFiles(folder, this.#open, onStartMoved)
    return loadLog(files, startOffset, this.#onWarning)
  }

  deleteTopic(id: string): void {
    const folder = join(this.#logs, id)
    try {
      this.#open.closeIn(folder)
      rmSync(folder, { recursive: true, force: true })
    } catch (error) {
      // The journal has already recorded the deletion: the next start tries again.
      this.#onWarning(`cannot delete ${folder}: ${String(error)}`)
    }
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#open.closeAll()
    this.#journal.close()
    this.#lock.release()
  }

  #folderOf(topicId: string, index: number): string {
    return join(this.#logs, topicId, String(index))
  }

  /** Creates the folders of a topic's partitions with the topic, so that a missing folder is detected later. */
  #makeFolders({ id, partitions }: Extract<SavedEntry, { kind: 'topic' }>): void {
    for (const index of partitions.keys()) {
      if (this.saved.hasPartition(id, index)) continue
      mkdirSync(this.#folderOf(id, index), { recursive: true })
    }
  }

  #rewrite(): void {
    try {
      this.#journal = this.#journal.replaced(this.saved.entries())
      this.#rewriteAtBytes = rewriteAt(this.#journal)
    } catch (error) {
      // The old journal continues.
      this.#rewriteAtBytes *= 2
      this.#onWarning(`cannot rewrite the journal: ${String(error)}`)
    }
  }

  /**
   * A topic may have been deleted just before a crash: then its records remain to be deleted.
   * Records of a topic that the journal does not know are kept, because the journal may have lost
   * entries; a crash during the creation of a topic leaves folders without records.
   */
  #readLogs(entries: readonly SavedEntry[]): void {
    const deleted = new Set(
      entries.flatMap((entry) => (entry.kind === 'topicDeleted' ? [entry.id] : [])),
    )
    for (const id of namesIn(this.#logs)) {
      const folder = join(this.#logs, id)
      if (deleted.has(id)) this.deleteTopic(id)
      else if (this.saved.hasTopic(id)) continue
      else if (!holdsRecords(folder)) this.deleteTopic(id)
      else this.#onWarning(`${folder} belongs to no topic of the journal, and is ignored`)
    }
  }
}

function holdsRecords(folder: string): boolean {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  return names.some((name) => baseOffsetOf(basename(name)) !== undefined)
}

function rewriteAt(journal: Journal): number {
  return Math.max(REWRITE_FROM_BYTES, journal.sizeBytes * REWRITE_AT_GROWTH)
}

function usable<T>(folder: string, run: () => T): T {
  try {
    return run()
  } catch (error) {
    if (error instanceof EmbeddedClusterError) throw error
    throw new EmbeddedClusterError(
      'DATA_FOLDER_UNUSABLE',
      `${folder} cannot be used as a data folder: ${String(error)}`,
      error,
    )
  }
}
