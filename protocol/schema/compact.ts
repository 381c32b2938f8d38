import type { Reader } from '../buffer/reader.ts'
import { ProtocolError } from '../protocol-error.ts'

/**
 * The parts of fast readers (see `FastReader`): values of flexible versions, whose lengths are
 * varints of length + 1. Their errors need no detail, because the struct is decoded again.
 */

/** A string that may be null. */
export function compactTextOrNull(reader: Reader): string | null {
  const length = reader.unsignedVarint() - 1
  return length < 0 ? null : reader.utf8(length)
}

export function compactText(reader: Reader): string {
  return reader.utf8(lengthOf(reader))
}

export function compactInt32s(reader: Reader): readonly number[] {
  const count = lengthOf(reader)
  const values: number[] = []
  while (values.length < count) values.push(reader.int32())
  return values
}

export function skipCompactInt32s(reader: Reader): void {
  reader.skip(4 * lengthOf(reader))
}

/** Structs of an array, which `read` reads. */
export function compactStructs<Struct>(
  reader: Reader,
  read: (reader: Reader) => Struct,
): readonly Struct[] {
  const count = lengthOf(reader)
  const structs: Struct[] = []
  while (structs.length < count) structs.push(read(reader))
  return structs
}

/** The end of a struct without declared tagged fields: drops those of later releases. */
export function dropTags(reader: Reader): void {
  for (let left = reader.unsignedVarint(); left > 0; left--) {
    reader.unsignedVarint()
    reader.skip(reader.unsignedVarint())
  }
}

/** The length of a value that may not be null. */
function lengthOf(reader: Reader): number {
  const length = reader.unsignedVarint() - 1
  if (length < 0) throw new ProtocolError('it is null', reader.offset)
  return length
}
