import {
  CodecUnavailableError,
  codecOf,
  type Compression,
} from '../../../protocol/compression/index.ts'
import type { Message } from '../../../protocol/records/message.ts'
import { encodeMessageSet } from '../../../protocol/records/message-set.ts'
import { OutgoingRecord } from '../../../protocol/records/outgoing-record.ts'
import {
  CompressionUnavailableError,
  KafkaError,
  UnsupportedVersionError,
  requiresKafka,
} from '../../errors.ts'
import { messagesOf } from '../accumulator/batch-messages.ts'
import type { Batch, RecordFormat } from '../accumulator/batch.ts'
import type { ProducerSettings } from '../options.ts'

const NO_REFUSALS: ReadonlyMap<number, UnsupportedVersionError> = new Map()

export type SealOptions = Pick<ProducerSettings, 'compression' | 'compressionLevel' | 'idempotent'>

/**
 * Smaller batches are compressed on this thread: using another thread takes longer than compressing so little (about
 * 0.1 ms).
 */
const OTHER_THREAD_FROM_BYTES = 8 * 1024

/** The first versions of Produce that support zstd (KIP-110), batches v2, and messages v1. */
export const ZSTD_FROM = 7
const BATCH_V2 = 3
const MESSAGE_V1 = 2

export function formatOf(produceVersion: number): RecordFormat {
  if (produceVersion >= BATCH_V2) return 2
  return produceVersion >= MESSAGE_V1 ? 1 : 0
}

/**
 * Prepares a batch for sending in a format: compresses it, and converts it for an old broker. Returns a promise if
 * another thread compresses it, and if it cannot be compressed, as without the codec's library: then the promise
 * rejects with a KafkaError.
 */
export function seal(
  batch: Batch,
  format: RecordFormat,
  options: SealOptions,
): Promise<void> | undefined {
  try {
    return sealed(batch, format, options)?.catch((error: unknown) => {
      throw sealError(batch, error)
    })
  } catch (error) {
    return Promise.reject(sealError(batch, error))
  }
}

function sealError({ queue: { topic, partition } }: Batch, error: unknown): KafkaError {
  if (error instanceof KafkaError) return error
  const cause = error instanceof Error ? error : new Error(String(error))
  if (cause instanceof CodecUnavailableError) {
    return new CompressionUnavailableError(cause, { topic, partition })
  }
  const message = `a batch of ${topic}-${partition} cannot be compressed: ${cause.message}`
  return new KafkaError('COMPRESSION_FAILED', message, false, { topic, partition, cause })
}

function sealed(
  batch: Batch,
  format: RecordFormat,
  options: SealOptions,
): Promise<void> | undefined {
  const { compression, compressionLevel } = options
  batch.wire = undefined
  if (format !== 2) {
    const records = messagesOf(batch).map(outgoing)
    batch.sealed = { format, messageSet: encodeMessageSet(records, format, compression) }
    return undefined
  }
  if (compression === 'none') {
    batch.sealed = { format, compressed: undefined }
    return undefined
  }
  const codec = codecOf(compression, { level: compressionLevel })
  const { writer } = batch
  const isLarge = writer.sizeBytes >= OTHER_THREAD_FROM_BYTES
  const compressing = isLarge ? writer.compressElsewhere(codec) : undefined
  if (compressing === undefined) {
    batch.sealed = { format, compressed: writer.compress(codec) }
    return undefined
  }
  return compressing.then((compressed) => {
    batch.sealed = { format, compressed }
  })
}

/** The size of a sealed batch in bytes. */
export function sealedBytes({ sealed, sizeBytes }: Batch): number {
  if (sealed === undefined) return sizeBytes
  if (sealed.format !== 2) return sealed.messageSet.length
  return sealed.compressed?.length ?? sizeBytes
}

/** The records that an old broker does not support, by index, with the errors. */
export function refusals(
  batch: Batch,
  produceVersion: number,
  broker: string,
  { compression, idempotent }: SealOptions,
): ReadonlyMap<number, UnsupportedVersionError> {
  if (produceVersion >= ZSTD_FROM) return NO_REFUSALS
  const errors = new Map<number, UnsupportedVersionError>()
  const { topic, partition } = batch.queue
  const refuse = (index: number, what: string, release: string) =>
    errors.set(index, requiresKafka(what, release, { broker, topic, partition }))
  const refuseAll = (what: string, release: string) => {
    for (let i = 0; i < batch.count; i++) refuse(i, what, release)
  }
  if (compression === 'zstd' && produceVersion < ZSTD_FROM) {
    refuseAll('compression with zstd', '2.1')
  } else if (idempotent === true && formatOf(produceVersion) !== 2) {
    refuseAll('an idempotent producer', '0.11')
  } else if (formatOf(produceVersion) !== 2) {
    messagesOf(batch).forEach(({ headers }, index) => {
      if (headers.length > 0) refuse(index, 'a message with headers', '0.11')
    })
  }
  return errors
}

/** The bytes of a sealed batch with its sequence numbers. */
export function wireOf(batch: Batch, compression: Compression): Buffer {
  if (batch.wire !== undefined) return batch.wire
  const { sealed, writer, sequence } = batch
  if (sealed === undefined) throw new Error('a batch is sent before it is sealed')
  if (sealed.format !== 2) return (batch.wire = sealed.messageSet)
  if (sealed.compressed === undefined) return (batch.wire = writer.finish(sequence ?? {}))
  writer.finishCompressed(sealed.compressed, compression, sequence ?? {})
  return (batch.wire = sealed.compressed)
}

function outgoing({ key, value, timestamp, headers }: Message): OutgoingRecord {
  return new OutgoingRecord(key, value, timestamp, headers)
}
