/**
 * The end of the match from `ip` on with the bytes `offset` before, at most `limit`. Up to 7 bytes
 * after `limit` are read.
 */
export function matchEnd(ip: usize, offset: usize, limit: usize): usize {
  let at = ip
  while (at < limit) {
    const difference = load<u64>(at) ^ load<u64>(at - offset)
    if (difference != 0) return min<usize>(at + <usize>(ctz(difference) >> 3), limit)
    at += 8
  }
  return limit
}
