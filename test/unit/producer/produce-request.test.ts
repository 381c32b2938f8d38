import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { ErrorCode } from '../../../protocol/errors.ts'
import { ZERO_UUID } from '../../../protocol/schema/fields.ts'
import type { ProduceResponse } from '../../../protocol/apis/produce.ts'
import { Batch } from '../../../src/producer/accumulator/batch.ts'
import { PartitionQueue } from '../../../src/producer/accumulator/partition-queue.ts'
import { UnhandledFailures } from '../../../src/producer/results/unhandled-failures.ts'
import {
  answersTo,
  namedLeaders,
  produceRequest,
  topicIdsOf,
  type PartitionResponse,
} from '../../../src/producer/sender/produce-request.ts'

const MEMORY = { take: (bytes: number) => Buffer.alloc(bytes), give: () => undefined }
const FAILURES = new UnhandledFailures(undefined)
const SETTINGS = { requiredAcks: 1, ackTimeoutMs: 1_000, compression: 'none' } as const
const BY_ID = 13

interface Place {
  readonly topic: string
  readonly partition: number
}

function batchOf({ topic, partition }: Place): Batch {
  const queue = new PartitionQueue<Batch>(topic, partition, 1_000, false)
  const batch = new Batch(queue, 0, { serial: 0, span: 1 }, 0, MEMORY, FAILURES)
  batch.writer.append(null, -1, topic, topic.length, 0, undefined, 0, Infinity)
  batch.sealed = { format: 2, compressed: undefined }
  return batch
}

/** Topics that are created after the metadata was read have no id. */
const idOf = (topic: string) => (topic === 'new' ? undefined : `id of ${topic}`)

function answer(index: number, errorMessage: string): PartitionResponse {
  return {
    index,
    errorCode: 0,
    baseOffset: 0n,
    logAppendTimeMs: -1n,
    logStartOffset: -1n,
    recordErrors: [],
    errorMessage,
    currentLeader: { leaderId: -1, leaderEpoch: -1 },
  }
}

const place = fc.record({ topic: fc.constantFrom('a', 'b', 'new'), partition: fc.nat(3) })
const isSame = (one: Place, other: Place) =>
  one.topic === other.topic && one.partition === other.partition
const places = fc.uniqueArray(place, { minLength: 1, maxLength: 8, comparator: isSame })

describe('a Produce request', () => {
  it.each([
    ['names', BY_ID - 1],
    ['ids', BY_ID],
  ])('has each topic once, with its batches in order, by %s', (_, version) => {
    const property = fc.property(places, (asked) => {
      const batches = asked.map(batchOf)
      const topicIdOf = topicIdsOf(batches, idOf)
      const { topicData } = produceRequest(batches, SETTINGS, topicIdOf, null, version)
      const topics = [...new Set(asked.map(({ topic }) => topic))]
      const partitionsOf = (topic: string) =>
        asked.filter((one) => one.topic === topic).map(({ partition }) => partition)
      const identity = (topic: string) =>
        version < BY_ID ? { name: topic } : { topicId: idOf(topic) ?? ZERO_UUID }
      expect(
        topicData.map(({ partitionData, ...topic }) => ({
          ...topic,
          partitions: partitionData.map(({ index }) => index),
        })),
      ).toEqual(topics.map((topic) => ({ ...identity(topic), partitions: partitionsOf(topic) })))
    })
    fc.assert(property)
  })
})

describe('a Produce response', () => {
  it.each([
    ['names', false],
    ['ids', true],
  ])('is matched with its batches in any order, without some, by %s', (_, byId) => {
    // A broker identifies a topic as the request did.
    const known = places.filter((list) => !byId || list.every(({ topic }) => topic !== 'new'))
    const cases = known.chain((asked) => fc.tuple(fc.constant(asked), fc.shuffledSubarray(asked)))
    const property = fc.property(cases, ([asked, answered]) => {
      const topics = [...new Set(answered.map(({ topic }) => topic))]
      const responses: ProduceResponse['responses'] = topics.map((topic) => ({
        name: byId ? '' : topic,
        topicId: byId ? (idOf(topic) ?? ZERO_UUID) : ZERO_UUID,
        partitionResponses: answered
          .filter((one) => one.topic === topic)
          .map(({ partition }) => answer(partition, `${topic}-${partition}`)),
      }))
      const batches = asked.map(batchOf)
      const response = { responses, throttleTimeMs: 0, nodeEndpoints: [] }
      const answers = answersTo(batches, response, topicIdsOf(batches, idOf))
      const expected = asked.map((one) =>
        answered.some((other) => isSame(one, other)) ? `${one.topic}-${one.partition}` : undefined,
      )
      expect(asked.map((__, index) => answers[index]?.errorMessage)).toEqual(expected)
    })
    fc.assert(property)
  })
})

describe('the leaders that a Produce response names', () => {
  const leader = { leaderId: 0, leaderEpoch: 3 }
  const refused = (index: number, currentLeader = leader): PartitionResponse => ({
    ...answer(index, ''),
    errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER,
    currentLeader,
  })

  it('are those beside errors, by topic, also the broker with id 0', () => {
    const asked = [
      { topic: 'a', partition: 0 },
      { topic: 'a', partition: 1 },
      { topic: 'b', partition: 0 },
    ]
    const answers = [refused(0), refused(1), refused(0)]
    expect(namedLeaders(asked.map(batchOf), answers)).toEqual(
      new Map([
        ['a', [0, 1].map((partition) => ({ partition, ...leader }))],
        ['b', [{ partition: 0, ...leader }]],
      ]),
    )
  })

  it('are none if a partition has no error, no answer, or no known leader', () => {
    const asked = [0, 1, 2].map((partition) => ({ topic: 'a', partition }))
    const delivered = { ...answer(0, ''), currentLeader: leader }
    const unknown = refused(2, { leaderId: -1, leaderEpoch: -1 })
    expect(namedLeaders(asked.map(batchOf), [delivered, undefined, unknown])).toEqual(new Map())
  })
})
