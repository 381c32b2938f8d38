/** Where a log's segments are kept, beside memory. */
export interface LogFiles {
  /** For a segment that begins at the offset. Throws Refused. */
  create(baseOffset: number): SegmentFile
  /** Notes that records before the offset are gone: before they are. Throws Refused. */
  startMoved(startOffset: number): void
}

/** A segment's bytes in a file. What fails is refused with KAFKA_STORAGE_ERROR. */
export interface SegmentFile {
  write(bytes: Uint8Array, position: number): void
  read(position: number, sizeBytes: number): Buffer
  truncate(sizeBytes: number): void
  delete(): void
}
