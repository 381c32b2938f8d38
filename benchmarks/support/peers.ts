/** The record codecs of other clients, from benchmarks/peers: run `npm ci` there first. */
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

export interface PlainHeader {
  readonly key: Buffer
  readonly value: Buffer
}

export interface PlainRecord {
  readonly key: Buffer | null
  readonly value: Buffer
  readonly headers: readonly PlainHeader[]
}

export interface PeerCodec {
  readonly name: string
  /** A whole batch, ready to be written: from plain records, as its producer makes it. */
  encode(records: readonly PlainRecord[], timestamp: number): unknown
  /** Touches each value and returns the sum of their lengths. */
  decode(batch: Buffer): number | Promise<number>
}

const requirePeer = createRequire(new URL('../peers/package.json', import.meta.url))

/** Peers that are installed and run on this Node; the others are named on standard error. */
export async function peerCodecs(): Promise<PeerCodec[]> {
  const found: PeerCodec[] = []
  for (const [name, load] of [
    ['kafkajs', kafkajs],
    ['@platformatic/kafka', platformatic],
  ] as const) {
    try {
      found.push(await load())
    } catch (error) {
      console.error(`${name} cannot be measured here: ${(error as Error).message.split('\n')[0]}`)
    }
  }
  return found
}

interface KafkajsEncoder {
  readonly buffer: Buffer
}

function kafkajs(): Promise<PeerCodec> {
  const load = (path: string): unknown => requirePeer(`kafkajs/src/protocol/${path}`)
  const { RecordBatch } = load('recordBatch/v0') as {
    RecordBatch: (batch: object) => Promise<KafkajsEncoder>
  }
  const encodeRecord = load('recordBatch/record/v0') as (record: object) => KafkajsEncoder
  const decodeBatch = load('recordBatch/v0/decoder') as (decoder: object) => Promise<{
    records: { value: Buffer }[]
  }>
  const Decoder = load('decoder') as new (data: Buffer) => object
  return Promise.resolve({
    name: 'kafkajs',
    async encode(records, timestamp) {
      const encoded = records.map(({ key, value, headers }, offsetDelta) =>
        encodeRecord({
          offsetDelta,
          timestampDelta: 0,
          key,
          value,
          headers: Object.fromEntries(headers.map((one) => [one.key.toString(), one.value])),
        }),
      )
      const batch = await RecordBatch({
        firstTimestamp: timestamp,
        maxTimestamp: timestamp,
        lastOffsetDelta: records.length - 1,
        records: encoded,
      })
      return batch.buffer
    },
    async decode(batch) {
      let sum = 0
      const { records } = await decodeBatch(new Decoder(batch))
      for (const { value } of records) sum += value.length
      return sum
    },
  })
}

async function platformatic(): Promise<PeerCodec> {
  const url = new URL('../peers/node_modules/@platformatic/kafka/dist/', import.meta.url)
  const load = async (path: string): Promise<unknown> => import(fileURLToPath(new URL(path, url)))
  const { createRecordsBatch, readRecordsBatch } = (await load('protocol/records.js')) as {
    createRecordsBatch: (messages: object[]) => { buffer: Buffer }
    readRecordsBatch: (reader: object) => { records: { value: Buffer }[] }
  }
  const { Reader } = (await load('protocol/reader.js')) as {
    Reader: { from: (data: Buffer) => object }
  }
  return {
    name: '@platformatic/kafka',
    encode(records, timestamp) {
      const time = BigInt(timestamp)
      const messages = records.map(({ key, value, headers }) => ({
        topic: 't',
        key: key ?? undefined,
        value,
        headers: new Map(headers.map((one) => [one.key, one.value])),
        timestamp: time,
      }))
      return createRecordsBatch(messages).buffer
    },
    decode(batch) {
      let sum = 0
      for (const { value } of readRecordsBatch(Reader.from(batch)).records) sum += value.length
      return sum
    },
  }
}
