import { describe, it } from '@jest/globals'
import fc from 'fast-check'
import { crc32 } from '../../../protocol/buffer/crc32.ts'
import { crc32c } from '../../../protocol/buffer/crc32c.ts'
import {
  codecOf,
  compressionCodeOf,
  lz4Legacy,
  type Compression,
} from '../../../protocol/compression/index.ts'
import { ProtocolError } from '../../../protocol/protocol-error.ts'
import { encodeBatch } from '../../../protocol/records/encode-batch.ts'
import { BATCH_HEADER_BYTES } from '../../../protocol/records/format.ts'
import type { Message } from '../../../protocol/records/message.ts'
import { encodeMessageSet } from '../../../protocol/records/message-set.ts'
import { OutgoingRecord } from '../../../protocol/records/outgoing-record.ts'
import { readBatches } from '../../../protocol/records/read-batches.ts'
import { compressionsOf, type Magic } from '../../wire/support/random-batch.ts'
import { Random } from '../../wire/support/random.ts'
import { mutate, mutations, type Mutation } from '../protocol/support/mutations.ts'

/**
 * Whatever a broker sends as records, reading them gives messages or a ProtocolError: no other error, no
 * endless loop, no memory beyond what the bytes can account for. Checksums are corrected after the change,
 * or it would only ever be they that are tried. SAMSA_FUZZ sets how many are tried, SAMSA_SEED which.
 */

const RUNS = Math.ceil(Number(process.env['SAMSA_FUZZ'] ?? 20_000) / 4)
const SEED = Number(process.env['SAMSA_SEED'] ?? Date.now() % 2 ** 31)
/** Of the processor's time: what others do on this machine does not count. */
const SLOW_US = 1_000_000
const LIMIT_BYTES = 64 * 1024
/** The fewest bytes that a record can take. */
const LEAST_BYTES = 7

const seeds = fc.noBias(fc.nat(2 ** 31 - 1))
const share = { seed: SEED, numRuns: RUNS }
const NONE: readonly Mutation[] = []
/** A header is only sometimes changed, as little of what follows it is then still read. */
const headerMutations = fc.oneof(
  { weight: 3, arbitrary: fc.constant(NONE) },
  { weight: 1, arbitrary: mutations },
)

describe(`changed records with correct checksums (SAMSA_FUZZ=${4 * RUNS} SAMSA_SEED=${SEED})`, () => {
  it('are decoded or rejected in batches v2', () => {
    const property = fc.property(seeds, mutations, headerMutations, (seed, changes, header) => {
      const random = new Random(seed)
      const compression = random.pick(compressionsOf(2))
      const body = (batch: Buffer) => mutate(batch.subarray(BATCH_HEADER_BYTES), changes)
      const data = Buffer.concat(
        Array.from({ length: 1 + random.below(2) }, () => {
          const plain = encodeBatch(someRecords(random), { baseOffset: 5n })
          return sealedBatch(plain, compression, body(plain), header)
        }),
      )
      survives(data, changes.length + header.length === 0)
    })
    fc.assert(property, share)
  })

  it('are decoded or rejected in batches v2 of many small frames', () => {
    const property = fc.property(seeds, mutations, (seed, changes) => {
      const random = new Random(seed)
      const compression = random.pick(['gzip', 'snappy', 'lz4', 'zstd'] as const)
      const plain = encodeBatch(someRecords(random), { baseOffset: 5n })
      const records = plain.subarray(BATCH_HEADER_BYTES)
      const body = mutate(inSmallFrames(records, compression, random), changes)
      survives(sealedBatch(plain, compression, body, NONE, true), changes.length === 0)
    })
    fc.assert(property, share)
  })

  it('are decoded or rejected in message sets', () => {
    const property = fc.property(seeds, mutations, (seed, changes) => {
      const random = new Random(seed)
      const magic = random.pick([0, 1] as const)
      const compression = random.pick(compressionsOf(magic))
      const plain = sealedSet(mutate(encodeMessageSet(someRecords(random), magic), changes))
      survives(wrapped(plain, magic, compression), changes.length === 0)
    })
    fc.assert(property, share)
  })

  it('are decoded or rejected in compressed messages whose fields are changed', () => {
    const property = fc.property(seeds, mutations, (seed, changes) => {
      const random = new Random(seed)
      const magic = random.pick([0, 1] as const)
      const compression = random.pick(compressionsOf(magic))
      const set = wrapped(encodeMessageSet(someRecords(random), magic), magic, compression)
      survives(sealedSet(mutate(set, changes)), changes.length === 0)
    })
    fc.assert(property, share)
  })
})

describe(`changed records with wrong checksums (SAMSA_SEED=${SEED})`, () => {
  it('are decoded or rejected in all formats', () => {
    const property = fc.property(seeds, mutations, (seed, changes) => {
      const random = new Random(seed)
      const sets = [0, 1, 2].map(() => someSet(random))
      survives(mutate(Buffer.concat(sets), changes), changes.length === 0)
    })
    fc.assert(property, share)
  })

  it('are decoded or rejected without any known format', () => {
    const random = new Random(SEED)
    for (let run = 0; run < RUNS; run++) survives(random.bytes(random.below(100)), false)
  })
})

function someRecords(random: Random): OutgoingRecord[] {
  const text = () => random.pick([null, '', 'key', random.bytes(random.below(80)), 'x'.repeat(200)])
  return Array.from(
    { length: 1 + random.below(8) },
    () =>
      new OutgoingRecord(
        text(),
        text(),
        1_790_000_000_000 + random.pick([0, 1, -1, 100, 2 ** 31, -(2 ** 40), 2 ** 51]),
        Array.from({ length: random.below(3) }, () => ({
          key: `h${random.below(3)}`,
          value: text(),
        })),
      ),
  )
}

function someSet(random: Random): Buffer {
  const magic: Magic = random.pick([0, 1, 2])
  const compression = random.pick(compressionsOf(magic))
  return magic === 2
    ? encodeBatch(someRecords(random), { compression })
    : encodeMessageSet(someRecords(random), magic, compression)
}

/** The batch with another body and a changed header; size, codec and CRC are right. */
function sealedBatch(
  plain: Buffer,
  compression: Compression,
  body: Buffer,
  headerChanges: readonly Mutation[],
  isCompressed = false,
): Buffer {
  const header = mutate(Buffer.from(plain.subarray(0, BATCH_HEADER_BYTES)), headerChanges)
  const compressed = isCompressed ? body : codecOf(compression).compress(body)
  const batch = Buffer.concat([header, compressed])
  if (batch.length < BATCH_HEADER_BYTES) return batch
  batch.writeInt32BE(batch.length - 12, 8)
  batch[16] = 2
  if (headerChanges.length === 0) batch[22]! |= compressionCodeOf(compression)
  batch.writeUInt32BE(crc32c(batch, 21), 17)
  return batch
}

/** The same content as frames (members, streams) of a few bytes each. */
function inSmallFrames(data: Buffer, compression: Compression, random: Random): Buffer {
  const frames: Uint8Array[] = []
  for (let at = 0; at < data.length;) {
    const end = at + 1 + random.below(8)
    frames.push(codecOf(compression).compress(data.subarray(at, end)))
    at = end
  }
  return Buffer.concat(frames)
}

/** A compressed message with this as its value; what is not compressed stays as it is. */
function wrapped(set: Buffer, magic: 0 | 1, compression: Compression): Buffer {
  if (compression === 'none') return set
  const codec = compression === 'lz4' && magic === 0 ? lz4Legacy : codecOf(compression)
  const message = encodeMessageSet([new OutgoingRecord(null, codec.compress(set), 1)], magic)
  message[17] = compressionCodeOf(compression)
  return sealedSet(message)
}

/** The messages of a set with their CRCs corrected, as far as their sizes lead from one to the next. */
function sealedSet(set: Buffer): Buffer {
  const sealed = Buffer.from(set)
  for (let at = 0; at + 17 < sealed.length;) {
    const end = at + 12 + sealed.readInt32BE(at + 8)
    if (end < at + 17 || end > sealed.length) break
    sealed.writeUInt32BE(crc32(sealed, at + 16, end), at + 12)
    at = end
  }
  return sealed
}

function survives(data: Buffer, untouched: boolean): void {
  const before = process.cpuUsage()
  const { batches, error } = readBatches(data, { topic: 't', partition: 0 }, LIMIT_BYTES)
  if (error !== undefined && (untouched || !(error instanceof ProtocolError))) throw error
  for (const batch of batches) {
    if (batch.claimedBytes > LIMIT_BYTES) throw new Error('it claims more than the ceiling')
    const messages = valueOrError(() => batch.messages(), ProtocolError, untouched) ?? []
    // Views on the same bytes may not add up to more than there are, nor messages lie in no bytes.
    const sum = messages.reduce((total, message) => total + touch(message, untouched), 0)
    const atMost = batch.compression === 'none' ? batch.sizeBytes : LIMIT_BYTES
    if (sum > atMost) throw new Error(`${sum} bytes were read from ${atMost}`)
  }
  const { user, system } = process.cpuUsage(before)
  if (user + system > SLOW_US) throw new Error('it took too long')
}

/** Reads all that a message has, and tells how many bytes it takes at least. */
function touch(message: Message, untouched: boolean): number {
  const { topic, partition, offset, timestampType, key, value } = message
  if (topic !== 't' || partition !== 0 || typeof offset !== 'number') throw new Error('no message')
  const timestamp = valueOrError(() => message.timestamp, RangeError, untouched)
  if (timestamp !== undefined && !Number.isSafeInteger(timestamp)) throw new Error('rounded')
  if (timestampType === 'none' && timestamp !== -1) throw new Error('a time from nowhere')
  const headers = valueOrError(() => message.headers, ProtocolError, untouched) ?? []
  let bytes = LEAST_BYTES + (key?.length ?? 0) + (value?.length ?? 0)
  for (const header of headers) bytes += 2 + (header.value?.length ?? 0)
  return bytes
}

function valueOrError<T>(
  read: () => T,
  expected: typeof ProtocolError | typeof RangeError,
  untouched: boolean,
): T | undefined {
  try {
    return read()
  } catch (error) {
    if (untouched || !(error instanceof expected)) throw error
    return undefined
  }
}
