/**
 * No client at all, the limit of what Node.js can do: a socket, record batches written and read by hand, CRC-32C
 * made and checked. It knows one broker that leads all partitions; it retries nothing, and handles no error
 * but by ending. Of samsa it uses the checksum alone.
 */
import { connect } from 'node:net'
import { crc32c } from '../../protocol/buffer/crc32c.ts'
import { drive } from './driver/drive.js'

const PRODUCE = [0, 7]
const FETCH = [1, 11]
/** KIP-98: what comes before the records, and where the checksum stands and starts. */
const BATCH_HEADER = 61
const CRC_AT = 17
const CRC_FROM = 21
const BATCH_RECORDS = 1_000
const BATCH_BYTES = 1_000_000
const IN_FLIGHT = 5
const FETCH_BYTES = 1 << 20

/** Requests in order on one socket; a response's bytes are in one Buffer. */
class Wire {
  #socket
  #waiting = []
  #size = Buffer.alloc(4)
  #sizeRead = 0
  #frame
  #frameRead = 0

  constructor({ brokers, tls }) {
    if (tls !== undefined) throw new Error('it knows no TLS')
    const [host, port] = brokers.split(',')[0].split(':')
    this.#socket = connect({ host, port: Number(port), noDelay: true })
    this.#socket.on('data', (chunk) => this.#read(chunk))
    this.#socket.on('error', (error) => {
      throw error
    })
  }

  /** `parts` are the body; resolves with the response behind its correlation id. */
  ask([api, version], parts) {
    const header = Buffer.alloc(14)
    const size = 10 + parts.reduce((sum, part) => sum + part.length, 0)
    header.writeInt32BE(size, 0)
    header.writeInt16BE(api, 4)
    header.writeInt16BE(version, 6)
    header.writeInt16BE(-1, 12) // no client id
    this.#socket.cork()
    this.#socket.write(header)
    for (const part of parts) this.#socket.write(part)
    this.#socket.uncork()
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  close() {
    this.#socket.destroy()
  }

  #read(chunk) {
    let at = 0
    while (at < chunk.length) {
      if (this.#frame === undefined) {
        const count = Math.min(4 - this.#sizeRead, chunk.length - at)
        chunk.copy(this.#size, this.#sizeRead, at, at + count)
        at += count
        this.#sizeRead += count
        if (this.#sizeRead < 4) return
        this.#frame = Buffer.allocUnsafe(this.#size.readInt32BE(0))
        this.#frameRead = 0
      }
      const count = Math.min(this.#frame.length - this.#frameRead, chunk.length - at)
      chunk.copy(this.#frame, this.#frameRead, at, at + count)
      at += count
      this.#frameRead += count
      if (this.#frameRead < this.#frame.length) return
      const frame = this.#frame
      this.#frame = undefined
      this.#sizeRead = 0
      this.#waiting.shift()(frame.subarray(4))
    }
  }
}

const string = (text) => {
  const bytes = Buffer.alloc(2 + text.length)
  bytes.writeInt16BE(text.length, 0)
  bytes.write(text, 2, 'latin1')
  return bytes
}

const varintBytes = (value) => {
  let left = value << 1
  let count = 1
  while (left > 127) {
    left >>>= 7
    count++
  }
  return count
}

function writeVarint(target, value, at) {
  let left = value << 1
  while (left > 127) {
    target[at++] = (left & 127) | 128
    left >>>= 7
  }
  target[at++] = left
  return at
}

/** Attributes, timestamp delta, offset delta, no key, the value with its length, no headers. */
const recordBytes = (value, index) =>
  4 + varintBytes(index) + varintBytes(value.length) + value.length

function encode(values) {
  let size = BATCH_HEADER
  values.forEach((value, index) => {
    const bytes = recordBytes(value, index)
    size += varintBytes(bytes) + bytes
  })
  const batch = Buffer.allocUnsafe(size)
  const now = BigInt(Date.now())
  batch.writeBigInt64BE(0n, 0)
  batch.writeInt32BE(size - 12, 8)
  batch.writeInt32BE(-1, 12)
  batch[16] = 2
  batch.writeInt16BE(0, 21)
  batch.writeInt32BE(values.length - 1, 23)
  batch.writeBigInt64BE(now, 27)
  batch.writeBigInt64BE(now, 35)
  batch.fill(255, 43, 57) // no producer id, epoch or sequence
  batch.writeInt32BE(values.length, 57)
  let at = BATCH_HEADER
  for (let index = 0; index < values.length; index++) {
    const value = values[index]
    at = writeVarint(batch, recordBytes(value, index), at)
    batch[at++] = 0
    batch[at++] = 0
    at = writeVarint(batch, index, at)
    batch[at++] = 1
    at = writeVarint(batch, value.length, at)
    batch.set(value, at)
    at += value.length
    batch[at++] = 0
  }
  batch.writeUInt32BE(crc32c(batch, CRC_FROM, size), CRC_AT)
  return batch
}

function producer(task) {
  const wire = new Wire(task)
  const topic = string(task.topic)
  let turn = 0
  const send = async (values) => {
    const batch = encode(values)
    const head = Buffer.alloc(12)
    head.writeInt16BE(-1, 0) // not transactional
    head.writeInt16BE(task.acks, 2)
    head.writeInt32BE(30_000, 4)
    head.writeInt32BE(1, 8)
    const place = Buffer.alloc(12)
    place.writeInt32BE(1, 0)
    place.writeInt32BE(turn++ % task.partitions, 4)
    place.writeInt32BE(batch.length, 8)
    const answer = await wire.ask(PRODUCE, [head, topic, place, batch])
    const error = answer.readInt16BE(4 + topic.length + 8)
    if (error !== 0) throw new Error(`Produce failed with code ${error}`)
  }
  return { send, close: async () => wire.close() }
}

/** Calls `sendBatch` with the records of one batch at a time, until the quota is used up. */
async function inBatches(quota, sendBatch, take) {
  const size = Math.max(1, Math.min(BATCH_RECORDS, Math.floor(BATCH_BYTES / quota.valueBytes)))
  const worker = async () => {
    for (let values = take(size); values.length > 0; values = take(size)) await sendBatch(values)
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker))
}

async function many(task) {
  const { send, close } = producer(task)
  return {
    send(quota) {
      const take = (size) => quota.take(size) ?? []
      return inBatches(quota, send, take)
    },
    close,
  }
}

/** A promise for each message, as an application that awaits some would have; or one that is looked at. */
const single = (look) => async (task) => {
  const { send, close } = producer(task)
  return {
    async send(quota) {
      let settlers = []
      const take = (size) => {
        const values = []
        settlers = []
        while (values.length < size) {
          const value = quota.next()
          if (value === undefined) break
          values.push(value)
          const promise = new Promise((resolve) => settlers.push(resolve))
          if (look !== undefined) promise.then(look)
        }
        return values
      }
      await inBatches(
        quota,
        async (values) => {
          const own = settlers
          await send(values)
          for (const settle of own) settle(undefined)
        },
        take,
      )
    },
    close,
  }
}

function fetchBody(topic, offsets) {
  const head = Buffer.alloc(29)
  head.writeInt32BE(-1, 0)
  head.writeInt32BE(500, 4)
  head.writeInt32BE(1, 8)
  head.writeInt32BE(64 << 20, 12)
  head.writeInt32BE(-1, 21) // no session
  head.writeInt32BE(1, 25)
  const partitions = Buffer.alloc(4 + offsets.length * 28)
  partitions.writeInt32BE(offsets.length, 0)
  offsets.forEach((offset, index) => {
    const at = 4 + index * 28
    partitions.writeInt32BE(index, at)
    partitions.writeInt32BE(-1, at + 4)
    partitions.writeBigInt64BE(BigInt(offset), at + 8)
    partitions.writeBigInt64BE(-1n, at + 16)
    partitions.writeInt32BE(FETCH_BYTES, at + 24)
  })
  return [head, topic, partitions, Buffer.from([0, 0, 0, 0, 0, 0])]
}

async function consume(task, sink) {
  const wire = new Wire(task)
  const topic = string(task.topic)
  const offsets = Array.from({ length: task.partitions }, () => 0)
  sink.begin()
  let answer = wire.ask(FETCH, fetchBody(topic, offsets))
  while (!sink.isDone) {
    const frame = await answer
    const found = recordsOf(frame, topic.length)
    for (const { partition, start, end } of found) skip(frame, partition, start, end, offsets)
    // The next is on its way while this one is decoded.
    answer = wire.ask(FETCH, fetchBody(topic, offsets))
    for (const { start, end } of found) decode(frame, start, end, sink)
  }
  wire.close()
}

/** Where in a Fetch response each partition's records are. */
function recordsOf(frame, topicBytes) {
  const error = frame.readInt16BE(4)
  if (error !== 0) throw new Error(`Fetch failed with code ${error}`)
  let at = 14 + topicBytes
  const count = frame.readInt32BE(at)
  at += 4
  const found = []
  for (let index = 0; index < count; index++) {
    const partition = frame.readInt32BE(at)
    const failed = frame.readInt16BE(at + 4)
    if (failed !== 0) throw new Error(`Fetching partition ${partition} failed with code ${failed}`)
    const aborted = frame.readInt32BE(at + 30)
    if (aborted > 0) throw new Error('aborted transactions')
    const size = frame.readInt32BE(at + 38)
    found.push({ partition, start: at + 42, end: at + 42 + Math.max(0, size) })
    at += 42 + Math.max(0, size)
  }
  return found
}

/** Moves the offset behind the last whole batch. */
function skip(frame, partition, start, end, offsets) {
  for (let at = start; at + BATCH_HEADER <= end;) {
    const size = 12 + frame.readInt32BE(at + 8)
    if (at + size > end) return
    offsets[partition] = Number(frame.readBigInt64BE(at)) + frame.readInt32BE(at + 23) + 1
    at += size
  }
}

function decode(frame, start, end, sink) {
  for (let at = start; at + BATCH_HEADER <= end;) {
    const size = 12 + frame.readInt32BE(at + 8)
    if (at + size > end) return
    if (crc32c(frame, at + CRC_FROM, at + size) !== frame.readUInt32BE(at + CRC_AT)) {
      throw new Error('a batch is damaged')
    }
    let count = frame.readInt32BE(at + 57)
    let next = at + BATCH_HEADER
    while (count-- > 0) {
      let record = next
      let length = 0
      for (let shift = 0; ; shift += 7) {
        const byte = frame[record++]
        length |= (byte & 127) << shift
        if (byte < 128) break
      }
      next = record + (length >>> 1)
      record += 2 // attributes and timestamp delta, which is 0
      while (frame[record++] > 127); // offset delta
      record++ // no key
      let bytes = 0
      for (let shift = 0; ; shift += 7) {
        const byte = frame[record++]
        bytes |= (byte & 127) << shift
        if (byte < 128) break
      }
      if (sink.take(frame.subarray(record, record + (bytes >>> 1)))) return
    }
    at += size
  }
}

await drive({
  version: '',
  best: { consume: 'batches' },
  produce: {
    single: ['batches of 1,000, 5 requests in flight, a promise a message', single()],
    told: ['the same, `promise.then(…)`', single(() => undefined)],
    many: ['batches of 1,000, 5 requests in flight', many],
  },
  consume: { batches: ['one Fetch in flight while the last is decoded, CRC checked', consume] },
})
