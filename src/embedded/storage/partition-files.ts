import { ftruncateSync, mkdirSync, readSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { LogFiles, SegmentFile } from '../log/log-files.ts'
import { Refused } from '../refused.ts'
import type { OpenFiles } from './open-files.ts'
import { writeWhole } from './write-whole.ts'

const DIGITS = 20
const NAME = /^(\d{20})\.log$/

/** A partition's folder: as in Kafka, it has a file for each segment, named by its first offset. */
export class PartitionFiles implements LogFiles {
  readonly folder: string
  readonly #open: OpenFiles
  readonly #onStartMoved: (startOffset: number) => void

  constructor(folder: string, open: OpenFiles, onStartMoved: (startOffset: number) => void) {
    this.folder = folder
    this.#open = open
    this.#onStartMoved = onStartMoved
  }

  create(baseOffset: number): SegmentFile {
    const file = this.#file(baseOffset)
    stored(() => {
      mkdirSync(this.folder, { recursive: true })
      this.#open.create(file)
    })
    return new StoredSegment(file, this.#open)
  }

  /** An existing file. */
  existing(baseOffset: number): SegmentFile {
    return new StoredSegment(this.#file(baseOffset), this.#open)
  }

  startMoved(startOffset: number): void {
    this.#onStartMoved(startOffset)
  }

  #file(baseOffset: number): string {
    return join(this.folder, `${String(baseOffset).padStart(DIGITS, '0')}.log`)
  }
}

/** The first offset of a segment by the name of its file; undefined for other files. */
export function baseOffsetOf(fileName: string): number | undefined {
  const digits = NAME.exec(fileName)?.[1]
  return digits === undefined ? undefined : Number(digits)
}

class StoredSegment implements SegmentFile {
  readonly #file: string
  readonly #open: OpenFiles

  constructor(file: string, open: OpenFiles) {
    this.#file = file
    this.#open = open
  }

  write(bytes: Uint8Array, position: number): void {
    stored(() => writeWhole(this.#open.fd(this.#file), bytes, position))
  }

  read(position: number, sizeBytes: number): Buffer {
    return stored(() => {
      const bytes = Buffer.allocUnsafe(sizeBytes)
      const fd = this.#open.fd(this.#file)
      for (let done = 0; done < sizeBytes;) {
        const count = readSync(fd, bytes, done, sizeBytes - done, position + done)
        if (count === 0) throw new Error(`${this.#file} is shorter than before`)
        done += count
      }
      return bytes
    })
  }

  truncate(sizeBytes: number): void {
    stored(() => ftruncateSync(this.#open.fd(this.#file), sizeBytes))
  }

  delete(): void {
    stored(() => {
      this.#open.close(this.#file)
      rmSync(this.#file, { force: true })
    })
  }
}

/** A failure of the disk is reported to the client, and does not end its connection. */
export function stored<T>(run: () => T): T {
  try {
    return run()
  } catch (error) {
    throw new Refused('KAFKA_STORAGE_ERROR', String(error))
  }
}
