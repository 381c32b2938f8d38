import {
  controlRecordTypeSchema,
  endTxnMarker,
} from '../../../protocol/messages/control-records.ts'
import { Writer } from '../../../protocol/buffer/writer.ts'
import { encodeBatch } from '../../../protocol/records/encode-batch.ts'
import { OutgoingRecord } from '../../../protocol/records/outgoing-record.ts'

/** The id and the epoch of a producer. */
export interface ProducerIdAndEpoch {
  /** The id that the cluster gave the producer. */
  readonly producerId: bigint
  /** Default: 0. */
  readonly producerEpoch?: number
}

const VERSION = 0
const TYPES = { abort: 0, commit: 1 } as const

/** The batch that ends a transaction in a log: one control record. */
export function endMarker(
  { producerId, producerEpoch = 0 }: ProducerIdAndEpoch,
  outcome: 'commit' | 'abort',
  nowMs: number,
): Buffer {
  const key = versioned((writer) =>
    controlRecordTypeSchema.encode(writer, VERSION, { type: TYPES[outcome] }),
  )
  const value = versioned((writer) => endTxnMarker.encode(writer, VERSION, { coordinatorEpoch: 0 }))
  const identity = { producerId, producerEpoch, baseSequence: -1 }
  const record = new OutgoingRecord(key, value, nowMs)
  return encodeBatch([record], { ...identity, transactional: true, control: true })
}

/** The version precedes the message. */
function versioned(write: (writer: Writer) => void): Buffer {
  const writer = new Writer()
  writer.int16(VERSION)
  write(writer)
  return Buffer.concat(writer.finish())
}
