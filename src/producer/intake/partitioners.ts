import { cryptoModule } from '../../builtins.ts'
import { InvalidArgumentError } from '../../errors.ts'
import { shown } from '../../options.ts'
import { murmur2, murmur2OfText } from '../../../protocol/buffer/murmur2.ts'

type Key = string | Uint8Array | null

/** Chooses a partition: a number from 0 to `partitionCount` - 1. Topics with the same name have one count. */
export type Partitioner = (key: Key, partitionCount: number, topic: string) => number

/** A key's hash: pykafka's `hash_func`. */
export type HashFunction = (key: Uint8Array) => number | bigint

/** Returns the partition that Java's client chooses for a key: murmur2, without its sign bit. */
export function murmur2Partition(key: string | Uint8Array, partitionCount: number): number {
  const hash = typeof key === 'string' ? murmur2OfText(key) : murmur2(key)
  return (hash & 0x7fffffff) % partitionCount
}

/**
 * Returns a partitioner that uses murmur2 of the key, as Java's does. Messages with a null key go to all partitions
 * in turn.
 */
export function murmur2Partitioner(): Partitioner {
  const rotate = randomPartitioner()
  return (key, partitionCount, topic) =>
    key === null ? rotate(key, partitionCount, topic) : murmur2Partition(key, partitionCount)
}

/** Returns pykafka's RandomPartitioner, which is not random: it uses all partitions in turn, for any key. */
export function randomPartitioner(): Partitioner {
  let last = 0
  return (_key, partitionCount) => (last = (last + 1) % partitionCount)
}

/**
 * Returns pykafka's HashingPartitioner: it uses the key's SHA-1 as one large number, or another hash. The partitioner
 * throws InvalidArgumentError for a null key.
 */
export function hashingPartitioner(hash: HashFunction = sha1): Partitioner {
  return (key, partitionCount) =>
    remainder(hash(bytesOf(key, 'hashingPartitioner')), partitionCount)
}

/**
 * Returns pykafka's GroupHashingPartitioner: a key goes to one of `groupSize` consecutive partitions, of which the
 * first follows from its hash. Throws InvalidArgumentError for a size below 1. The partitioner throws it for a null
 * key, and for a topic with fewer than `groupSize` partitions.
 */
export function groupHashingPartitioner(hash: HashFunction, groupSize = 1): Partitioner {
  if (typeof hash !== 'function') {
    throw new InvalidArgumentError('groupHashingPartitioner: the hash must be a function')
  }
  if (!Number.isInteger(groupSize) || groupSize < 1) {
    throw new InvalidArgumentError(
      `groupSize must be a whole number of at least 1, not ${shown(groupSize)}`,
    )
  }
  return (key, partitionCount) => {
    const data = bytesOf(key, 'groupHashingPartitioner')
    if (groupSize > partitionCount) {
      throw new InvalidArgumentError(
        `groupSize ${groupSize} is larger than the number of partitions, ${partitionCount}`,
      )
    }
    return remainder(
      BigInt(hash(data)) + BigInt(cryptoModule().randomInt(groupSize)),
      partitionCount,
    )
  }
}

function sha1(key: Uint8Array): bigint {
  return BigInt(`0x${cryptoModule().createHash('sha1').update(key).digest('hex')}`)
}

function remainder(hash: number | bigint, partitionCount: number): number {
  if (typeof hash === 'number') return Math.abs(hash) % partitionCount
  return Number((hash < 0n ? -hash : hash) % BigInt(partitionCount))
}

function bytesOf(key: Key, what: string): Uint8Array {
  if (key === null) throw new InvalidArgumentError(`${what} needs a key`)
  return typeof key === 'string' ? Buffer.from(key) : key
}
