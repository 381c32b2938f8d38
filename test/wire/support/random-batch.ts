import type { Compression } from '../../../protocol/compression/index.ts'
import type { BatchOrder, PlainRecord } from './plain-batch.ts'
import type { Random } from './random.ts'

const NOW = 1_790_000_000_000
const LENGTHS = [0, 1, 2, 10, 62, 63, 64, 65, 126, 127, 128, 129, 300, 8191, 8192]
/** Past the blocks of lz4 and the chunks of snappy. */
const LARGE_LENGTHS = [32_768, 65_536, 200_000]
const TEXTS = ['', 'a', 'trace', 'été', '€uro', '😀', '\0', 'x'.repeat(63), 'ä'.repeat(40)]
const BASE_OFFSETS = [0, 5, 127, 2 ** 31 - 1, 2 ** 31, 2 ** 40, 2 ** 53 - 2 ** 32]
/** What two timestamps of one batch may lie apart, either way. */
const DELTAS = [0, 1, 63, 64, 65, 8191, 8192, 2 ** 27, 2 ** 28, 2 ** 31 - 1, 2 ** 31, 2 ** 31 + 1]
const LARGE_DELTAS = [2 ** 32, 2 ** 34 - 1, 2 ** 35, 2 ** 41, 2 ** 49 - 1, 2 ** 51]

export const MAGICS = [0, 1, 2] as const
export type Magic = (typeof MAGICS)[number]

/** The codecs that the format has: zstd came after message sets (KIP-110). */
export function compressionsOf(magic: Magic): readonly Compression[] {
  const old = ['none', 'gzip', 'snappy', 'lz4'] as const
  return magic === 2 ? [...old, 'zstd'] : old
}

/** Anything that a broker may have in its log. */
export function randomOrder(random: Random, magic: Magic, compression: Compression): BatchOrder {
  const order = orderWithoutRecords(random, magic, compression)
  const isEmpty = magic === 2 && compression === 'none' && random.chance(12)
  const records = order.control
    ? [marker(random, order.baseOffset)]
    : isEmpty
      ? []
      : randomRecords(random, magic, order.baseOffset, random.chance(2))
  const last = records.at(-1)?.offset ?? order.baseOffset
  // Compaction takes records away, but keeps the batch's last offset.
  return { ...order, records, lastOffset: last + (magic === 2 && random.chance(5) ? 7 : 0) }
}

/** One as a producer makes it: offsets without gaps, and its own timestamps. */
export function randomOrderOfOurs(
  random: Random,
  magic: Magic,
  compression: Compression,
): BatchOrder {
  const order = orderWithoutRecords(random, magic, compression)
  const baseOffset = magic === 2 ? order.baseOffset : 0
  const records = order.control
    ? [marker(random, baseOffset)]
    : randomRecords(random, magic, baseOffset, false)
  return {
    ...order,
    records,
    baseOffset,
    lastOffset: baseOffset + records.length - 1,
    timestampType: magic === 0 ? 'none' : 'create-time',
    deleteHorizon: -1,
  }
}

function orderWithoutRecords(random: Random, magic: Magic, compression: Compression): BatchOrder {
  const isNewest = magic === 2
  const idempotent = isNewest && random.chance(2)
  const transactional = idempotent && random.chance(2)
  const timestampType = magic === 0 ? 'none' : random.chance(3) ? 'log-append-time' : 'create-time'
  return {
    magic,
    compression,
    timestampType,
    baseOffset: random.pick(BASE_OFFSETS),
    lastOffset: 0,
    logAppendTime: timestampType === 'log-append-time' ? NOW + random.below(1000) : -1,
    deleteHorizon:
      isNewest && timestampType === 'create-time' && random.chance(6) ? NOW + 86_400_000 : -1,
    producerId: idempotent ? random.pick([0n, 1n, 4_000_000_000n, 2n ** 63n - 1n]) : -1n,
    producerEpoch: idempotent ? random.pick([0, 1, 32_767]) : -1,
    baseSequence: idempotent ? random.pick([0, 1, 2 ** 31 - 1]) : -1,
    transactional,
    control: transactional && random.chance(3),
    leaderEpoch: isNewest ? random.pick([-1, 0, 7, 2 ** 31 - 1]) : -1,
    records: [],
  }
}

/** The end of a transaction: version and type (abort, commit), then version and coordinator's epoch. */
function marker(random: Random, offset: number): PlainRecord {
  const key = Buffer.from([0, 0, 0, random.below(2)])
  const value = Buffer.from([0, 0, 0, 0, 0, random.below(100)])
  return { offset, timestamp: NOW, key, value, headers: [] }
}

function randomRecords(
  random: Random,
  magic: Magic,
  baseOffset: number,
  withGaps: boolean,
): PlainRecord[] {
  const first = random.pick([NOW, NOW, 0, -1, 2 ** 45])
  const count = random.chance(8) ? 300 : 1 + random.below(6)
  const records: PlainRecord[] = []
  let offset = baseOffset
  for (let index = 0; index < count; index++) {
    if (withGaps) offset += random.pick([0, 0, 1, 63, 64, 10_000])
    records.push({
      offset,
      timestamp: index === 0 ? first : timestampNear(random, first),
      key: someBytes(random, count),
      value: someBytes(random, count),
      headers: magic === 2 && random.chance(2) ? someHeaders(random) : [],
    })
    offset++
  }
  return records
}

function timestampNear(random: Random, first: number): number {
  const delta = random.pick(random.chance(4) ? LARGE_DELTAS : DELTAS)
  // Kafka takes −1 for none, and nothing below it.
  return Math.max(-1, random.chance(2) ? first + delta : first - delta)
}

/** Null, empty, text that compresses, or bytes that don't. */
function someBytes(random: Random, count: number): Buffer | null {
  if (random.chance(6)) return null
  const isLarge = count < 10 && random.chance(40)
  const length = isLarge
    ? random.pick(LARGE_LENGTHS)
    : random.pick(count < 10 ? LENGTHS : LENGTHS.slice(0, 8))
  if (random.chance(2)) return random.bytes(length)
  return Buffer.alloc(length, `{"id":${random.below(10)},"name":"`)
}

function someHeaders(random: Random): PlainRecord['headers'] {
  return Array.from({ length: random.chance(20) ? 70 : random.below(4) }, () => ({
    key: random.pick(TEXTS),
    value: random.chance(4) ? null : random.bytes(random.pick([0, 1, 5, 63, 64, 200])),
  }))
}
