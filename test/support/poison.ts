import assert from 'node:assert/strict'
import { produce } from '../../protocol/apis/index.ts'
import { crc32c } from '../../protocol/buffer/crc32c.ts'
import { encodeBatch } from '../../protocol/records/encode-batch.ts'
import { OutgoingRecord } from '../../protocol/records/outgoing-record.ts'
import type { EmbeddedCluster } from '../../src/embedded/index.ts'
import { requestOnce } from './request-once.ts'

/** Data that brokers accept from every producer, and that clients must handle. */
export type Poison = 'timestamp' | 'headers'

/** Writes a record that cannot be read in full: a timestamp of −2^62, or a number of headers of −1. */
export async function writePoison(
  kafka: EmbeddedCluster,
  topic: string,
  value: string,
  poison: Poison,
): Promise<void> {
  const batch = encodeBatch([new OutgoingRecord('key', value, 1_000)])
  if (poison === 'timestamp') {
    batch.writeBigInt64BE(-(2n ** 62n), 27)
    batch.writeBigInt64BE(-(2n ** 62n), 35)
  } else {
    // The zigzag varint that counts them is the last byte.
    batch[batch.length - 1] = 1
  }
  batch.writeUInt32BE(crc32c(batch, 21), 17)
  // By the topic's name, rather than its id.
  const maxVersion = 12
  const body = {
    acks: -1,
    timeoutMs: 1_000,
    topicData: [{ name: topic, partitionData: [{ index: 0, records: batch }] }],
  }
  const { responses } = await requestOnce(kafka.hosts, produce, body, maxVersion)
  assert.equal(responses[0]?.partitionResponses[0]?.errorCode, 0)
}
