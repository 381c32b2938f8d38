/**
 * Record batches of 1,000 records: encode from plain keys, values and headers to bytes; decode with the CRC
 * checked (ours; the peers check none) and every value touched. Microseconds a record, medians, in turns.
 *
 *     npm run bench:codec          (Node 22.22 or newer to have @platformatic/kafka in it)
 */
import { encodeBatch } from '../protocol/records/encode-batch.ts'
import { OutgoingRecord } from '../protocol/records/outgoing-record.ts'
import { readBatches } from '../protocol/records/read-batches.ts'
import { peerCodecs, type PlainRecord } from './support/peers.ts'
import { inTurns, type Timing } from './support/turns.ts'

const RECORDS = 1000
const TIMESTAMP = 1_790_000_000_000

const shapes = [
  { name: '10 B', valueBytes: 10, keys: false, headers: false },
  { name: '100 B', valueBytes: 100, keys: false, headers: false },
  { name: '100 B, keys', valueBytes: 100, keys: true, headers: false },
  { name: '100 B, keys, 2 headers', valueBytes: 100, keys: true, headers: true },
  { name: '1 KiB', valueBytes: 1024, keys: false, headers: false },
  { name: '1 KiB, keys, 2 headers', valueBytes: 1024, keys: true, headers: true },
]

function plainRecords({ valueBytes, keys, headers }: (typeof shapes)[number]): PlainRecord[] {
  return Array.from({ length: RECORDS }, (_, index) => ({
    key: keys ? Buffer.from(`user-${index}`) : null,
    value: Buffer.alloc(valueBytes, `${index} `),
    headers: headers
      ? [
          { key: Buffer.from('trace'), value: Buffer.from(`trace-${index}`) },
          { key: Buffer.from('source'), value: Buffer.from('benchmark') },
        ]
      : [],
  }))
}

function encodeOurs(records: readonly PlainRecord[]): Buffer {
  const outgoing = records.map(
    ({ key, value, headers }) =>
      new OutgoingRecord(
        key,
        value,
        TIMESTAMP,
        headers.length === 0
          ? undefined
          : headers.map((one) => ({ key: one.key.toString(), value: one.value })),
      ),
  )
  return encodeBatch(outgoing)
}

function decodeOurs(data: Buffer): number {
  let sum = 0
  const { batches, error } = readBatches(data, { topic: 't', partition: 0 })
  if (error !== undefined) throw error
  for (const batch of batches) for (const { value } of batch.messages()) sum += value!.length
  return sum
}

function report(what: string, timings: readonly Timing[]): void {
  const ours = timings[0]!.microseconds
  const columns = timings.map(({ name, microseconds, spread }) => {
    const ratio = name === 'samsa' ? '' : `, ${(microseconds / ours).toFixed(1)} times`
    const each = (microseconds / RECORDS).toFixed(3)
    return `${name} ${each} µs (±${(spread * 100).toFixed(0)} %${ratio})`
  })
  console.log(`${what.padEnd(32)} ${columns.join('   ')}`)
}

console.log(`Node ${process.version}, µs a record, medians of rounds in turns\n`)
const peers = await peerCodecs()
for (const shape of shapes) {
  const records = plainRecords(shape)
  const encoded = encodeOurs(records)
  report(
    `encode ${shape.name}`,
    await inTurns([
      { name: 'samsa', run: () => encodeOurs(records) },
      ...peers.map((peer) => ({
        name: peer.name,
        run: () => peer.encode(records, TIMESTAMP),
      })),
    ]),
  )
  report(
    `decode ${shape.name}`,
    await inTurns([
      { name: 'samsa', run: () => decodeOurs(encoded) },
      ...peers.map((peer) => ({ name: peer.name, run: () => peer.decode(encoded) })),
    ]),
  )
}
