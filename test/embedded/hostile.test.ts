import { describe, expect, it } from '@jest/globals'
import { randomBytes } from 'node:crypto'
import {
  apiVersions,
  createPartitions,
  createTopics,
  fetch,
  joinGroup,
  metadata,
} from '../../protocol/apis/index.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import { encodeRequest } from '../../protocol/headers.ts'
import { EmbeddedCluster } from '../../src/embedded/index.ts'
import { rawClientOf, topicOf } from './support/requests.ts'

function framed(...bytes: number[]): Buffer {
  const size = Buffer.alloc(4)
  size.writeInt32BE(bytes.length)
  return Buffer.concat([size, Buffer.from(bytes)])
}

const INPUTS: Readonly<Record<string, Buffer>> = {
  'a size that is negative': Buffer.from([0xff, 0xff, 0xff, 0xff]),
  'a size past the limit': Buffer.from([0x7f, 0xff, 0xff, 0xff]),
  'an empty frame': framed(),
  'half a header': framed(0, 3, 0),
  'an API that does not exist': framed(0x7f, 0, 0, 0, 0, 0, 0, 1, 0xff, 0xff),
  'a version that does not exist': framed(0, 3, 0, 99, 0, 0, 0, 1, 0xff, 0xff),
  'a count past the end': framed(0, 3, 0, 1, 0, 0, 0, 1, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff),
  'bytes after the body': framed(0, 3, 0, 1, 0, 0, 0, 1, 0xff, 0xff, 0, 0, 0, 0, 9),
  'an HTTP request': Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'),
}

describe('hostile input', () => {
  it.each(Object.keys(INPUTS))('%s ends the connection, and nothing else', async (name) => {
    const errors: unknown[] = []
    await using kafka = await EmbeddedCluster.start({
      topics: { t: {} },
      onError: (error) => errors.push(error),
    })
    using bystander = await rawClientOf(kafka)
    using attacker = await rawClientOf(kafka)
    attacker.write(INPUTS[name]!)
    await attacker.closed
    expect(errors).toHaveLength(1)
    expect(await topicOf(bystander, 't')).toMatchObject({ errorCode: 0 })
  })

  it('damage at any byte of valid requests ends the connection, or gets a response', async () => {
    await using kafka = await EmbeddedCluster.start({ topics: { t: {} } })
    const good = [
      encodeRequest(metadata, 12, 1, 'x', { topics: [{ name: 't' }] }),
      encodeRequest(fetch, 12, 1, 'x', {
        maxWaitMs: 0,
        minBytes: 0,
        topics: [
          { topic: 't', partitions: [{ partition: 0, fetchOffset: 0n, partitionMaxBytes: 100 }] },
        ],
      }),
      encodeRequest(joinGroup, 5, 1, 'x', {
        groupId: 'g',
        sessionTimeoutMs: 10_000,
        memberId: '',
        protocolType: 'consumer',
        protocols: [{ name: 'range', metadata: randomBytes(20) }],
      }),
    ].map((segments) => Buffer.concat(segments))
    for (const frame of good) {
      for (let at = 4; at < frame.length; at++) {
        using attacker = await rawClientOf(kafka)
        const damaged = Buffer.from(frame)
        damaged[at]! ^= 0xff
        attacker.write(damaged)
        await Promise.race([attacker.closed, attacker.nextFrame().catch(() => undefined), tick()])
      }
    }
    using bystander = await rawClientOf(kafka)
    expect(await topicOf(bystander, 't')).toMatchObject({ errorCode: 0 })
  })

  it('unlimited partitions and 100,000 names are rejected at once', async () => {
    await using kafka = await EmbeddedCluster.start()
    using raw = await rawClientOf(kafka)
    const wanted = (name: string, numPartitions: number) => ({
      name,
      numPartitions,
      replicationFactor: 1,
      assignments: [],
      configs: [],
    })
    const create = async (wishes: readonly ReturnType<typeof wanted>[]) => {
      const { topics } = await raw.request(createTopics, 7, { topics: wishes, timeoutMs: 1_000 })
      return new Set(topics.map(({ errorCode }) => errorCode))
    }
    const names = Array.from({ length: 100_000 }, (_, index) => `t${index}`)
    const refused = new Set([ErrorCode.POLICY_VIOLATION])
    expect(await create([wanted('t', 2 ** 31 - 1)])).toEqual(refused)
    expect(await create(names.map((name) => wanted(name, 1)))).toEqual(refused)
    expect(await create([wanted('t', 3)])).toEqual(new Set([0]))
    const more = [{ name: 't', count: 2 ** 31 - 1, assignments: null }]
    const { results } = await raw.request(createPartitions, 3, {
      topics: more,
      timeoutMs: 1_000,
      validateOnly: false,
    })
    expect(results[0]).toMatchObject({ errorCode: ErrorCode.POLICY_VIOLATION })
    const { topics } = await raw.request(metadata, 12, {
      topics: names.map((name) => ({ name })),
      allowAutoTopicCreation: true,
    })
    expect(new Set(topics.map(({ errorCode }) => errorCode))).toEqual(
      new Set([ErrorCode.UNKNOWN_TOPIC_OR_PARTITION]),
    )
    expect(kafka.topics).toEqual(['t'])
  })

  it('a connection that announces more than 512 KiB before its login is closed', async () => {
    const errors: unknown[] = []
    await using kafka = await EmbeddedCluster.start({
      sasl: { users: { alice: 'secret' } },
      onError: (error) => errors.push(error),
    })
    using attacker = await rawClientOf(kafka)
    const size = Buffer.alloc(4)
    size.writeInt32BE(512 * 1024 + 1)
    // No more than the size: the rest need not arrive.
    attacker.write(size)
    await attacker.closed
    expect(errors).toEqual([
      new RangeError('a request has a length of 524289 bytes, which is not allowed'),
    ])
  })

  it('a future version of ApiVersions is refused in a way that every client can read', async () => {
    await using kafka = await EmbeddedCluster.start()
    using raw = await rawClientOf(kafka)
    // Key 18, version 99, no client id, no tagged fields, and a body that is not known.
    raw.write(framed(0, 18, 0, 99, 0, 0, 0, 7, 0xff, 0xff, 0, 1, 2, 3))
    const frame = await raw.nextFrame()
    expect(frame.readInt32BE(0)).toBe(7)
    expect(frame.readInt16BE(4)).toBe(35)
    const { apiKeys } = await raw.request(apiVersions, 3, {
      clientSoftwareName: 'x',
      clientSoftwareVersion: '1',
    })
    expect(apiKeys.length).toBeGreaterThan(10)
  })
})

/** Damage in a number may well leave a request that has to wait. */
function tick(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 20)
  })
}
