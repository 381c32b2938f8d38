import { murmur2 } from './murmur2.ts'

/** Chooses a partition: a number from 0 to `partitionCount` - 1. */
export type Partitioner = (key: string | Uint8Array | null, partitionCount: number) => number

/**
 * Keys by murmur2 exactly as the Java client does, so that both put a key into the same partition; null
 * keys in turn. pykafka's random partitioner is a rotation, too.
 */
export function defaultPartitioner(): Partitioner {
  let next = Math.floor(Math.random() * 0x10000)
  return (key, partitionCount) => {
    if (key === null) return next++ % partitionCount
    const bytes = typeof key === 'string' ? Buffer.from(key) : key
    return (murmur2(bytes) & 0x7fffffff) % partitionCount
  }
}
