/** Which versions of requests a broker serves: told by ApiVersions or, where that is not known, tried out. */
import { createConnection } from 'node:net'
import * as apis from '../../../../protocol/apis/index.ts'
import { Reader } from '../../../../protocol/buffer/reader.ts'
import { decodeBody, encodeRequest } from '../../../../protocol/headers.ts'
import { ProtocolError } from '../../../../protocol/protocol-error.ts'
import type { Api } from '../../../../protocol/schema/api.ts'
import type { Encodable, Fields } from '../../../../protocol/schema/fields.ts'
import { waitFor } from '../../../support/kafka/wait.ts'
import { RawClient } from '../../support/raw-client.ts'
import { PATIENCE_MS } from '../../../support/patience.ts'

/** `1-3` by API. */
export type ServedVersions = ReadonlyMap<number, string>

export async function toldVersions(port: number): Promise<ServedVersions> {
  using client = await RawClient.open(port)
  const { apiKeys } = await client.request(apis.apiVersions, 0, {})
  return new Map(apiKeys.map((api) => [api.apiKey, `${api.minVersion}-${api.maxVersion}`]))
}

/** Asks for each in each version, on a connection of its own, about the topic `versions`. */
export async function triedVersions(port: number): Promise<ServedVersions> {
  await coordinatorIsThere(port)
  const served = new Map<number, string>()
  for (const question of QUESTIONS) {
    const versions: number[] = []
    // One by one: what 0.9 does not know makes it lose what other connections ask at the same time.
    for (const [version, frame] of question.frames.entries()) {
      if (await question.isServed(port, frame)) versions.push(version)
    }
    if (versions.length > 0) served.set(question.key, `${versions[0]}-${versions.at(-1)}`)
  }
  return served
}

/** The first question for a coordinator makes one, and holds up the others meanwhile. */
async function coordinatorIsThere(port: number): Promise<void> {
  using client = await RawClient.open(port)
  const isThere = async () => {
    const { errorCode } = await client.request(apis.findCoordinator, 0, { key: groupId })
    return errorCode === 0 ? true : undefined
  }
  await waitFor(isThere, {
    timeoutMs: PATIENCE_MS,
    onTimeout: () => new Error('There is still no coordinator'),
  })
}

/** A broker that has not answered until then will not. */
const SILENCE_MS = 700
const CORRELATION_ID = 7

interface Question {
  readonly key: number
  /** By version. */
  readonly frames: readonly Uint8Array[]
  isServed(port: number, frame: Uint8Array): Promise<boolean>
}

function question<Request extends Fields, Response extends Fields>(
  api: Api<Request, Response>,
  body: Encodable<Request>,
  untilVersion: number,
): Question {
  const frames: Uint8Array[] = Array.from({ length: untilVersion + 1 }, (_, version) =>
    Buffer.concat(encodeRequest(api, version, CORRELATION_ID, 'asking', body)),
  )
  return {
    key: api.key,
    frames,
    async isServed(port, frame) {
      const answer = await answerTo(port, frame)
      if (answer === undefined) return false
      try {
        // Some old brokers answer versions that they don't know, in the form of one that they know.
        const version = frames.indexOf(frame)
        decodeBody(api.response, version, new Reader(answer, 4))
        return true
      } catch (error) {
        if (error instanceof ProtocolError) return false
        throw error
      }
    },
  }
}

/** The response without its length; undefined for silence or a closed connection. */
function answerTo(port: number, frame: Uint8Array): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1')
    const end = (answer?: Buffer): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(answer)
    }
    const timer = setTimeout(() => end(), SILENCE_MS)
    const chunks: Buffer[] = []
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      const received = Buffer.concat(chunks)
      if (received.length >= 4 && received.length >= 4 + received.readInt32BE(0)) {
        end(Buffer.from(received.subarray(4)))
      }
    })
    socket.on('error', () => undefined)
    socket.on('close', () => end())
    socket.write(frame)
  })
}

const name = 'versions'
const groupId = 'versions'
const member = { groupId, generationId: 1, memberId: 'm' }

const QUESTIONS: readonly Question[] = [
  question(
    apis.fetch,
    {
      maxWaitMs: 10,
      minBytes: 1,
      topics: [
        { topic: name, partitions: [{ partition: 0, fetchOffset: 0n, partitionMaxBytes: 1_000 }] },
      ],
    },
    4,
  ),
  question(apis.produce, { acks: 1, timeoutMs: 1_000, topicData: [] }, 3),
  question(
    apis.listOffsets,
    {
      replicaId: -1,
      topics: [{ name, partitions: [{ partitionIndex: 0, timestamp: -1n }] }],
    },
    3,
  ),
  question(apis.metadata, { topics: [{ name }] }, 4),
  question(
    apis.offsetCommit,
    {
      groupId,
      topics: [
        { name, partitions: [{ partitionIndex: 0, committedOffset: 1n, committedMetadata: '' }] },
      ],
    },
    4,
  ),
  question(apis.offsetFetch, { groupId, topics: [{ name, partitionIndexes: [0] }] }, 4),
  question(apis.findCoordinator, { key: groupId }, 3),
  question(
    apis.joinGroup,
    {
      groupId: 'versions-members',
      sessionTimeoutMs: 10_000,
      memberId: '',
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: Buffer.alloc(2) }],
    },
    4,
  ),
  question(apis.heartbeat, member, 3),
  question(apis.leaveGroup, { groupId, memberId: 'm' }, 2),
  question(apis.syncGroup, { ...member, assignments: [] }, 3),
  question(apis.describeGroups, { groups: [groupId] }, 3),
  question(apis.listGroups, {}, 3),
  question(apis.saslHandshake, { mechanism: 'PLAIN' }, 1),
  question(apis.apiVersions, {}, 2),
  question(apis.createTopics, { topics: [], timeoutMs: 100 }, 3),
]
