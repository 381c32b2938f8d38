/** The layout of Kafka's stored record formats, and the names of their bits. */
/** Record batch v2: bytes before its records. */
export const BATCH_HEADER_BYTES = 61
/** Record batch v2: its CRC-32C covers everything from the attributes on. */
export const CRC_COVERS_FROM = 21
/** Offset and size, before every batch and every message of the older formats. */
export const LOG_OVERHEAD_BYTES = 12
/** The position of the format's version (magic) in all three formats. */
export const MAGIC_OFFSET = 16

export const ATTRIBUTE = {
  compression: 0x07,
  /** The broker set the timestamps, not the producer (KIP-32). */
  logAppendTime: 0x08,
  transactional: 0x10,
  control: 0x20,
  /** The base timestamp is the time from which the first record may be deleted (KIP-534). */
  deleteHorizon: 0x40,
} as const
