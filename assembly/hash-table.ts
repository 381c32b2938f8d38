/**
 * The table of the compressors at the start of the memory: for each hash of 4 or 5 bytes the position
 * within the block where they were last seen. A block has 64 KiB at most, so 16 bits suffice. An
 * empty entry stands for position 0, where every search starts.
 */

const TABLE: usize = 0
const HASH_BITS: u32 = 14
const FIVE_BYTES_FACTOR: u64 = 889523592379

export function clearTable(): void {
  memory.fill(TABLE, 0, 2 << HASH_BITS)
}

/** The address of the entry for 4 bytes that are multiplied by the factor of the format. */
export function entryOf(product: u32): usize {
  return TABLE + ((<usize>(product >> (32 - HASH_BITS))) << 1)
}

/** The address of the entry for the 5 bytes at an address; 8 are read. */
export function entryOfFive(ip: usize): usize {
  const product = (load<u64>(ip) << 24) * FIVE_BYTES_FACTOR
  return TABLE + ((<usize>(product >> (64 - HASH_BITS))) << 1)
}
