/**
 * A file of lines, each with a checksum and an entry in JSON. It is append-only, except that it is
 * sometimes replaced as a whole by one with fewer lines: renaming is atomic, so a valid file always
 * exists. A crash leaves a last line without its newline, which is truncated. An invalid line with
 * a newline was damaged later: the journal is rejected, because later lines depend on it.
 */
import {
  closeSync,
  constants,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
} from 'node:fs'
import { crc32c } from '../../../protocol/buffer/crc32c.ts'
import { EmbeddedClusterError } from '../embedded-cluster-error.ts'
import { isSavedEntry, type SavedEntry } from './saved-entry.ts'
import { writeWhole } from './write-whole.ts'
import { isMissing } from './names-in.ts'

const CHECKSUM_CHARACTERS = 8
const NEWLINE = 0x0a

export interface JournalContents {
  readonly entries: readonly SavedEntry[]
  /** The bytes of whole lines, and the bytes after them. */
  readonly wholeBytes: number
  readonly cutBytes: number
}

/** Throws EmbeddedClusterError for a damaged line, and for undamaged but unknown entries. */
export function readJournal(file: string): JournalContents {
  const data = readIfExists(file)
  const entries: SavedEntry[] = []
  let at = 0
  for (;;) {
    const end = data.indexOf(NEWLINE, at)
    const json = end < 0 ? undefined : checkedLine(data.subarray(at, end))
    if (json === undefined) {
      if (!isTorn(data.subarray(at))) throw damaged(file, entries.length + 1)
      return { entries, wholeBytes: at, cutBytes: data.length - at }
    }
    const entry: unknown = JSON.parse(json)
    if (!isSavedEntry(entry)) {
      throw new EmbeddedClusterError(
        'DATA_FOLDER_UNUSABLE',
        `${file} has an entry of an unknown type, possibly from a newer version of samsa: ${json.slice(0, 100)}`,
      )
    }
    entries.push(entry)
    at = end + 1
  }
}

export class Journal {
  readonly #file: string
  readonly #fd: number
  #sizeBytes: number

  private constructor(file: string, fd: number, sizeBytes: number) {
    this.#file = file
    this.#fd = fd
    this.#sizeBytes = sizeBytes
  }

  /** Continues after this many bytes of the file, and truncates the rest. */
  static open(file: string, sizeBytes: number): Journal {
    const fd = openSync(file, constants.O_RDWR | constants.O_CREAT)
    ftruncateSync(fd, sizeBytes)
    return new Journal(file, fd, sizeBytes)
  }

  /** Replaces the content of the file. */
  static create(file: string, entries: Iterable<SavedEntry>): Journal {
    const next = `${file}.new`
    const journal = new Journal(file, openSync(next, 'w'), 0)
    try {
      journal.#write([...entries].map(lineOf).join(''))
      // The only place where flushing matters: a file that is renamed before its content is on the
      // disk may be empty after a power failure, and then all data is lost.
      fsyncSync(journal.#fd)
      renameSync(next, file)
      return journal
    } catch (error) {
      journal.close()
      throw error
    }
  }

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  append(entry: SavedEntry): void {
    this.#write(lineOf(entry))
  }

  /**
   * Returns a journal with the same name that contains only these entries; this one cannot be used
   * any more.
   */
  replaced(entries: Iterable<SavedEntry>): Journal {
    const journal = Journal.create(this.#file, entries)
    this.close()
    return journal
  }

  close(): void {
    closeSync(this.#fd)
  }

  #write(text: string): void {
    const bytes = Buffer.from(text)
    writeWhole(this.#fd, bytes, this.#sizeBytes)
    this.#sizeBytes += bytes.length
  }
}

function lineOf(entry: SavedEntry): string {
  const json = JSON.stringify(entry)
  return `${checksumOf(Buffer.from(json))} ${json}\n`
}

/**
 * Whether these bytes can come from an interrupted write: part of a line, or zeros after a power
 * failure.
 */
function isTorn(rest: Buffer): boolean {
  const isWholeLine = rest.length > 0 && checkedLine(rest.subarray(0, -1)) !== undefined
  return !rest.includes(NEWLINE) && !isWholeLine
}

function damaged(file: string, line: number): EmbeddedClusterError {
  return new EmbeddedClusterError(
    'DATA_FOLDER_DAMAGED',
    `line ${line} of ${file} is damaged. Nothing was changed: restore the file from a copy, or delete the line to continue without its entry`,
  )
}

function checkedLine(line: Buffer): string | undefined {
  const json = line.subarray(CHECKSUM_CHARACTERS + 1)
  const isRight = line.toString('latin1', 0, CHECKSUM_CHARACTERS + 1) === `${checksumOf(json)} `
  return isRight ? json.toString() : undefined
}

function checksumOf(bytes: Uint8Array): string {
  return crc32c(bytes).toString(16).padStart(CHECKSUM_CHARACTERS, '0')
}

function readIfExists(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (error) {
    if (isMissing(error)) return Buffer.alloc(0)
    throw error
  }
}
