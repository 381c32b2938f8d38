import { encodeBatch } from '../../../../protocol/records/encode-batch.ts'
import { OutgoingRecord } from '../../../../protocol/records/outgoing-record.ts'

/** A batch of one record that begins a transaction, as a producer sends it. */
export function transactionalBatch({
  producerId,
  timestamp,
}: {
  readonly producerId: bigint
  readonly timestamp: number
}): Buffer {
  const record = new OutgoingRecord(null, Buffer.from('open'), timestamp)
  const identity = { producerId, producerEpoch: 0, baseSequence: 0 }
  return encodeBatch([record], { ...identity, transactional: true })
}
