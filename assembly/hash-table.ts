/**
 * The table of the compressors at the start of the memory: for each hash of 4 bytes the position
 * within the block where they were last seen. A block has 64 KiB at most, so 16 bits suffice. An
 * empty entry stands for position 0, where every search starts.
 */

const TABLE: usize = 0
const HASH_BITS: u32 = 14

export function clearTable(): void {
  memory.fill(TABLE, 0, 2 << HASH_BITS)
}

/** The address of the entry for 4 bytes that are multiplied by the factor of the format. */
export function entryOf(product: u32): usize {
  return TABLE + ((<usize>(product >> (32 - HASH_BITS))) << 1)
}
