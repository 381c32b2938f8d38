import { randomInt } from 'node:crypto'
import { murmur2Partitioner } from '../../index.ts'
import type { ICustomPartitioner } from '../types/producer.ts'

type Hash = (key: Buffer, partitionCount: number, topic: string) => number

const toPositive = (hash: number): number => hash & 0x7fffffff

const murmur2 = murmur2Partitioner()

/**
 * Chooses partitions like the Java client: the partition of the message, otherwise the one for the murmur2 hash of its
 * key, otherwise the next one with a leader.
 */
export const DefaultPartitioner: ICustomPartitioner = () => byKey(murmur2)

/** The default of kafkajs 1, which differs in its variant of the hash. */
export const LegacyPartitioner: ICustomPartitioner = () =>
  byKey((key, count) => toPositive(legacyHash(key)) % count)

function byKey(hash: Hash): ReturnType<ICustomPartitioner> {
  const turns = new Map<string, number>()
  const nextTurn = (topic: string): number => {
    const turn = toPositive((turns.get(topic) ?? randomInt(0x7fffffff)) + 1)
    turns.set(topic, turn)
    return turn
  }
  return ({ topic, partitionMetadata, message: { partition, key } }) => {
    // Callers without types may pass any value.
    if (partition !== undefined && (partition as number | null) !== null) return partition
    const count = partitionMetadata.length
    if (key !== undefined && key !== null) {
      const bytes = Buffer.isBuffer(key) ? key : Buffer.from(String(key))
      return hash(bytes, count, topic)
    }
    const led = partitionMetadata.filter(({ leader }) => leader >= 0)
    const turn = nextTurn(topic)
    return led.length > 0 ? led[turn % led.length]!.partitionId : turn % count
  }
}

const SEED = 0x9747b28c
const FACTOR = 0x5bd1e995
const SHIFT = 24

/**
 * The murmur2 of kafkajs 1, with its two mistakes, so that keys stay in their partitions: products are rounded to
 * doubles, and a last word that is not complete is hashed as well.
 */
function legacyHash(key: Buffer): number {
  const { length } = key
  const at = (index: number): number => key[index] ?? 0
  let hash = SEED ^ length
  for (let start = 0; start < length; start += 4) {
    let word = at(start) + (at(start + 1) << 8) + (at(start + 2) << 16) + (at(start + 3) << 24)
    word *= FACTOR
    word ^= word >>> SHIFT
    word *= FACTOR
    hash *= FACTOR
    hash ^= word
  }
  const rest = length % 4
  const tail = length - rest
  if (rest >= 3) hash ^= at(tail + 2) << 16
  if (rest >= 2) hash ^= at(tail + 1) << 8
  if (rest >= 1) {
    hash ^= at(tail)
    hash *= FACTOR
  }
  hash ^= hash >>> 13
  hash *= FACTOR
  return hash ^ (hash >>> 15)
}
