/** Stores the segments of a log in files, in addition to memory. */
export interface LogFiles {
  /** Creates the file of a segment that begins at the offset. Throws Refused. */
  create(baseOffset: number): SegmentFile
  /** Stores that the log now starts at the offset, before the earlier records are removed. Throws Refused. */
  startMoved(startOffset: number): void
}

/** The bytes of a segment in a file. Failures are reported as KAFKA_STORAGE_ERROR. */
export interface SegmentFile {
  write(bytes: Uint8Array, position: number): void
  read(position: number, sizeBytes: number): Buffer
  truncate(sizeBytes: number): void
  delete(): void
}
