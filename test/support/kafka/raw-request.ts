import { ByteWriter, type ByteReader } from './bytes.ts'
import { FrameSocket } from './frame-socket.ts'

/**
 * The two requests that setting up a test needs, written out by hand: the starter of the brokers
 * must not depend on the client that is tested against them.
 */

const METADATA = 3
const CREATE_TOPICS = 19

export interface RawMetadata {
  readonly brokers: readonly { id: number; host: string; port: number }[]
  readonly topics: readonly RawTopic[]
}

export interface RawTopic {
  readonly name: string
  /** In the order of their numbers. */
  readonly partitions: readonly {
    partition: number
    leader: number
    replicas: number[]
    isr: number[]
  }[]
}

async function rawRequest(
  port: number,
  apiKey: number,
  apiVersion: number,
  body: Buffer,
  timeoutMs?: number,
): Promise<ByteReader> {
  using socket = await FrameSocket.open(port, timeoutMs)
  const header = new ByteWriter().int16(apiKey).int16(apiVersion).int32(1).string('samsa-test')
  const answer = await socket.ask(header.raw(body).toBuffer())
  answer.int32() // the correlation id
  return answer
}

/** Version 0, which every broker from 0.8 to 4.x knows. Asking for all topics creates none. */
export async function rawMetadata(port: number): Promise<RawMetadata> {
  const answer = await rawRequest(port, METADATA, 0, new ByteWriter().int32(0).toBuffer())
  const brokers = answer.array(() => ({
    id: answer.int32(),
    host: answer.string(),
    port: answer.int32(),
  }))
  const topics = answer.array(() => {
    answer.int16() // an error of the topic shows in its partitions too
    const name = answer.string()
    const partitions = answer.array(() => readPartition(answer))
    return { name, partitions: partitions.sort((a, b) => a.partition - b.partition) }
  })
  return { brokers, topics }
}

function readPartition(answer: ByteReader): RawTopic['partitions'][number] {
  answer.int16()
  return {
    partition: answer.int32(),
    leader: answer.int32(),
    replicas: answer.array(() => answer.int32()),
    isr: answer.array(() => answer.int32()),
  }
}

export interface RawTopicOptions {
  readonly partitions: number
  readonly replicationFactor: number
  readonly config: Readonly<Record<string, string>>
}

/** The error code and what the broker says about it. */
export async function rawCreateTopic(
  port: number,
  version: 1 | 2,
  name: string,
  { partitions, replicationFactor, config }: RawTopicOptions,
): Promise<{ code: number; message: string }> {
  const waitMs = 15_000
  const body = new ByteWriter().int32(1).string(name).int32(partitions).int16(replicationFactor)
  body.int32(0) // no assignment by hand
  body.array(Object.entries(config), ([key, value]) => body.string(key).string(value))
  body.int32(waitMs).int8(0)
  const answer = await rawRequest(port, CREATE_TOPICS, version, body.toBuffer(), waitMs + 5_000)
  if (version >= 2) answer.int32() // the throttle time
  answer.int32()
  answer.string()
  return { code: answer.int16(), message: answer.string() }
}
