import { describe, expect, it } from '@jest/globals'
import {
  groupHashingPartitioner,
  hashingPartitioner,
  InvalidArgumentError,
  murmur2Partitioner,
  randomPartitioner,
} from '../../../src/index.ts'
import { murmur2, murmur2OfText } from '../../../protocol/buffer/murmur2.ts'
import { StickyPartition } from '../../../src/producer/intake/sticky-partition.ts'

const TOPIC = 'orders'

describe('murmur2', () => {
  // Of Kafka's own tests; test/wire/murmur2.test.ts asks Java for many more.
  it.each([
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ])('returns the reference hash of %s', (text, hash) => {
    expect(murmur2(Buffer.from(text))).toBe(hash)
    expect(murmur2OfText(text)).toBe(hash)
  })

  it.each(['', 'é', 'ключ', '値'.repeat(100), 'x'.repeat(500)])(
    'hashes the bytes of text: %p',
    (text) => {
      expect(murmur2OfText(text)).toBe(murmur2(Buffer.from(text)))
    },
  )

  it('partitions keys by their hash, and nulls in turn', () => {
    const partitioner = murmur2Partitioner()
    expect(partitioner('foobar', 100, TOPIC)).toBe((-790332482 & 0x7fffffff) % 100)
    const chosen = Array.from({ length: 6 }, () => partitioner(null, 3, TOPIC))
    expect(chosen).toEqual([1, 2, 0, 1, 2, 0])
  })
})

describe('pykafka’s partitioners', () => {
  it('random rotates through the partitions, starting with the second', () => {
    const partitioner = randomPartitioner()
    const chosen = Array.from({ length: 5 }, () => partitioner('k', 4, TOPIC))
    expect(chosen).toEqual([1, 2, 3, 0, 1])
  })

  // int(hashlib.sha1(key).hexdigest(), 16) % n, by Python 3.11.
  it.each([
    ['user-1', 7, 6],
    ['user-2', 7, 3],
    ['', 10, 5],
    ['ключ', 12, 3],
  ])('hashing selects a partition for key %p of %i partitions', (key, count, partition) => {
    expect(hashingPartitioner()(key, count, TOPIC)).toBe(partition)
  })

  it.each([
    [-5, 3, 2],
    [7, 4, 3],
    [-(2n ** 70n), 10, 4],
  ])(
    'hashing by another function selects a partition for hash %p of %i',
    (hash, count, partition) => {
      expect(hashingPartitioner(() => hash)('key', count, TOPIC)).toBe(partition)
    },
  )

  it('hashing requires a key', () => {
    expect(() => hashingPartitioner()(null, 3, TOPIC)).toThrow(InvalidArgumentError)
  })

  it('group hashing stays within its group', () => {
    const partitioner = groupHashingPartitioner(() => 8, 3)
    const chosen = new Set(Array.from({ length: 200 }, () => partitioner('key', 10, TOPIC)))
    expect([...chosen].sort()).toEqual([0, 8, 9])
  })

  it('group hashing rejects invalid options', () => {
    expect(() => groupHashingPartitioner(undefined as never)).toThrow('the hash must be a function')
    for (const size of [0, -1, 0.5]) {
      expect(() => groupHashingPartitioner(() => 1, size)).toThrow('at least 1')
    }
    const partitioner = groupHashingPartitioner(() => 1, 4)
    expect(() => partitioner('key', 3, TOPIC)).toThrow('larger than the number of partitions, 3')
    expect(() => partitioner(null, 8, TOPIC)).toThrow('needs a key')
  })
})

describe('the sticky partition', () => {
  it('stays for some bytes, then changes', () => {
    const sticky = new StickyPartition(1_000, () => 0)
    let before = -1
    for (let turn = 0; turn < 50; turn++) {
      const chosen = Array.from({ length: 10 }, () => sticky.choose(5, 100))
      expect(new Set(chosen).size).toBe(1)
      expect(chosen[0]).not.toBe(before)
      before = chosen[0]!
    }
  })

  it('changes at a rest if the partition has had 64 KiB', () => {
    const sticky = new StickyPartition(1_000_000, () => 0)
    const first = sticky.choose(5, 60_000)
    sticky.switchPartition()
    expect(sticky.choose(5, 10_000)).toBe(first)
    sticky.switchPartition()
    expect(sticky.choose(5, 10_000)).not.toBe(first)
  })

  it('gives each partition its share', () => {
    const sticky = new StickyPartition(1_000, () => 0)
    const counts = [0, 0, 0, 0]
    for (let i = 0; i < 40_000; i++) counts[sticky.choose(4, 500)]!++
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(1_000)
  })

  it('gives less to a partition whose queue is long', () => {
    const sticky = new StickyPartition(1_000, (partition) => (partition === 0 ? 10 : 0))
    const counts = [0, 0, 0, 0]
    for (let i = 0; i < 10_000; i++) counts[sticky.choose(4, 1_000)]!++
    expect(counts[0]).toBeLessThan(1_500)
  })

  it('chooses among preferred partitions, each as often, the one with the shorter queue', () => {
    const sticky = new StickyPartition(1, (partition) => (partition === 5 ? 1 : 0))
    sticky.prefer([2, 5, 6, 7])
    const counts = new Map<number, number>()
    for (let i = 0; i < 30_000; i++) {
      const chosen = sticky.choose(8, 1)
      counts.set(chosen, (counts.get(chosen) ?? 0) + 1)
    }
    expect([...counts.keys()].sort()).toEqual([2, 5, 6, 7])
    for (const one of [2, 6, 7]) expect(Math.abs(counts.get(one)! - 9_000)).toBeLessThan(1_000)
    expect(counts.get(5)).toBeLessThan(4_000)
    sticky.prefer(undefined)
    const all = new Set(Array.from({ length: 1_000 }, () => sticky.choose(8, 1)))
    expect(all.size).toBe(8)
  })

  it('stays with a partition that is still preferred, and leaves another at once', () => {
    const sticky = new StickyPartition(1_000_000, () => 0)
    sticky.prefer([3, 4])
    const first = sticky.choose(8, 10)
    sticky.prefer([0, first])
    expect(sticky.choose(8, 10)).toBe(first)
    sticky.prefer([0])
    expect(sticky.choose(8, 10)).toBe(0)
  })

  it('adapts to more partitions, and to fewer', () => {
    const sticky = new StickyPartition(1, () => 0)
    expect(sticky.choose(1, 10)).toBe(0)
    const chosen = new Set(Array.from({ length: 100 }, () => sticky.choose(3, 10)))
    expect(chosen.size).toBe(3)
    for (let i = 0; i < 10; i++) expect(sticky.choose(1, 10)).toBe(0)
  })
})
