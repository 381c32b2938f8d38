import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { apiOf, apis } from '../../../protocol/apis/index.ts'
import { Reader } from '../../../protocol/buffer/reader.ts'
import { Writer } from '../../../protocol/buffer/writer.ts'
import {
  decodeBody,
  decodeRequestHeader,
  decodeResponse,
  encodeRequest,
  encodeResponse,
} from '../../../protocol/headers.ts'
import { ProtocolError } from '../../../protocol/protocol-error.ts'
import { versionsIn } from '../../wire/support/definitions.ts'
import { declaredMessages } from '../../wire/support/messages.ts'
import { randomMessage } from '../../wire/support/random-message.ts'
import { Random } from '../../wire/support/random.ts'
import { mutate, mutations, type Mutation } from './support/mutations.ts'

/**
 * Whatever bytes come, decoding gives a value or a ProtocolError that says where: no other error,
 * no endless loop, no memory beyond what the bytes can account for. SAMSA_FUZZ sets how many frames
 * are tried, SAMSA_SEED which.
 */

const RUNS = Number(process.env['SAMSA_FUZZ'] ?? 20_000)
const SEED = Number(process.env['SAMSA_SEED'] ?? Date.now() % 2 ** 31)
const SIZE_BYTES = 4
/** Of the processor's time: what others do on this machine does not count. */
const SLOW_US = 1_000_000

const messages = [...declaredMessages.values()].flatMap((message) =>
  versionsIn(message.versions).map((version) => ({ message, version })),
)
const calls = apis.flatMap((api) => versionsIn(api.versions).map((version) => ({ api, version })))

describe(`mutated frames (SAMSA_FUZZ=${RUNS} SAMSA_SEED=${SEED})`, () => {
  // Without bias, so that each message is tried as often as any other.
  const seeds = fc.noBias(fc.nat(2 ** 31 - 1))
  const share = { seed: SEED, numRuns: Math.ceil(RUNS / 4) }

  it('of every message and version are decoded or rejected', () => {
    const property = fc.property(seeds, mutations, (seed, changes) => {
      const { message, version } = messages[seed % messages.length]!
      const value = randomMessage(message, version, new Random(seed))
      const writer = new Writer()
      message.encode(writer, version, value)
      const bytes = mutate(Buffer.concat(writer.finish()), changes)
      const decode = () => decodeBody(message, version, new Reader(bytes))
      valueOrError(`${message.name} v${version}`, bytes, decode, changes.length === 0)
    })
    fc.assert(property, { ...share, numRuns: 2 * share.numRuns })
  })

  it('of every response with its header are decoded or rejected', () => {
    const property = fc.property(seeds, mutations, (seed, changes) => {
      const { api, version } = calls[seed % calls.length]!
      const value = randomMessage(api.response, version, new Random(seed))
      const bytes = mutatedFrame(encodeResponse(api, version, seed, value), changes)
      // ApiVersions may be answered in version 0, whatever was asked.
      const place =
        api.name === 'ApiVersions' ? 'ApiVersions response v' : `${api.name} response v${version}`
      valueOrError(place, bytes, () => decodeResponse(api, version, bytes))
    })
    fc.assert(property, share)
  })

  it('of every request with its header are decoded or rejected', () => {
    const property = fc.property(seeds, mutations, (seed, changes) => {
      const { api, version } = calls[seed % calls.length]!
      const value = randomMessage(api.request, version, new Random(seed))
      const bytes = mutatedFrame(encodeRequest(api, version, seed, 'me', value), changes)
      valueOrError(
        'Request header v',
        bytes,
        () => decodeRequestHeader(bytes, apiOf).header,
        changes.length === 0,
      )
    })
    fc.assert(property, share)
  })
})

describe(`random bytes (SAMSA_SEED=${SEED})`, () => {
  it('are decoded or rejected by every message and version', () => {
    const random = new Random(SEED)
    for (const { message, version } of messages) {
      const bytes = random.bytes(random.below(64))
      valueOrError(`${message.name} v${version}`, bytes, () =>
        decodeBody(message, version, new Reader(bytes)),
      )
    }
  })
})

describe('every truncated frame', () => {
  it('is rejected at every length', () => {
    const random = new Random(SEED)
    for (const { message, version } of messages) {
      const writer = new Writer()
      message.encode(writer, version, randomMessage(message, version, random))
      const bytes = Buffer.concat(writer.finish())
      const step = Math.max(1, Math.floor(bytes.length / 16))
      for (let length = 0; length < bytes.length; length += step) {
        const cut = bytes.subarray(0, length)
        expect(() => message.decode(new Reader(cut), version)).toThrow(ProtocolError)
      }
    }
  })
})

function mutatedFrame(segments: readonly Uint8Array[], changes: readonly Mutation[]): Buffer {
  return mutate(Buffer.concat(segments).subarray(SIZE_BYTES), changes)
}

function valueOrError(
  place: string,
  bytes: Buffer,
  decode: () => unknown,
  untouched = false,
): void {
  const before = process.cpuUsage()
  try {
    const value = decode()
    // Memory is bounded by the frame: every element took at least a byte of it.
    if (countElements(value) > bytes.length) throw new Error('more elements than bytes')
  } catch (error) {
    if (untouched || !(error instanceof ProtocolError)) throw error
    if (!saysWhere(error, place)) {
      throw new Error('it does not say where', { cause: error })
    }
  }
  const { user, system } = process.cpuUsage(before)
  if (user + system > SLOW_US) throw new Error('it took too long')
}

function saysWhere(error: ProtocolError, place: string): boolean {
  const hasField = error.path !== '' || error.reason.endsWith('follow the last field')
  return error.message.startsWith(place) && hasField && error.position !== undefined
}

function countElements(value: unknown): number {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return 0
  let count = Array.isArray(value) ? value.length : 0
  for (const inner of Object.values(value)) count += countElements(inner)
  return count
}
