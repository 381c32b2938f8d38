const SEED = 0x9747b28c
const M = 0x5bd1e995
const R = 24

/** The 32-bit murmur2 hash by which Kafka's Java client partitions, as a signed number. */
export function murmur2(data: Uint8Array, length = data.length): number {
  let hash = SEED ^ length
  const whole = length & ~3
  for (let i = 0; i < whole; i += 4) {
    let k = data[i]! | (data[i + 1]! << 8) | (data[i + 2]! << 16) | (data[i + 3]! << 24)
    k = Math.imul(k, M)
    k ^= k >>> R
    hash = Math.imul(hash, M) ^ Math.imul(k, M)
  }
  const rest = length & 3
  if (rest === 3) hash ^= data[whole + 2]! << 16
  if (rest >= 2) hash ^= data[whole + 1]! << 8
  if (rest >= 1) hash = Math.imul(hash ^ data[whole]!, M)
  hash = Math.imul(hash ^ (hash >>> 13), M)
  return hash ^ (hash >>> 15)
}

/** Text up to this length is encoded here, without a buffer of its own. */
const SCRATCH = new Uint8Array(128)

/** The hash of a text as UTF-8. */
export function murmur2OfText(text: string): number {
  const { length } = text
  if (length > SCRATCH.length) return murmur2(Buffer.from(text))
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i)
    if (code > 0x7f) return murmur2(Buffer.from(text))
    SCRATCH[i] = code
  }
  return murmur2(SCRATCH, length)
}
