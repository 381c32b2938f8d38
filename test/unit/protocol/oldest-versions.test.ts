import { describe, expect, it } from '@jest/globals'
import {
  describeGroups,
  fetch,
  findCoordinator,
  heartbeat,
  joinGroup,
  leaveGroup,
  listGroups,
  listOffsets,
  metadata,
  offsetCommit,
  offsetFetch,
  produce,
  syncGroup,
} from '../../../protocol/apis/index.ts'
import { Reader } from '../../../protocol/buffer/reader.ts'
import { Writer } from '../../../protocol/buffer/writer.ts'
import type { MessageSchema } from '../../../protocol/schema/api.ts'
import type { Encodable, Fields } from '../../../protocol/schema/fields.ts'
import { layout } from '../../wire/support/layout.ts'

/**
 * The versions of Kafka 0.8.2 and 0.9, byte by byte as its protocol guide described them. They are
 * older than Kafka's message definitions, so nothing but the guide says what a broker of that time
 * understands.
 */

function same<F extends Fields>(
  message: MessageSchema<F>,
  version: number,
  value: Encodable<F>,
  text: string,
): void {
  const bytes = layout(text)
  const writer = new Writer()
  message.encode(writer, version, value)
  expect(Buffer.concat(writer.finish()).toString('hex')).toBe(bytes.toString('hex'))

  const reader = new Reader(bytes)
  const decoded = message.decode(reader, version)
  expect(reader.remaining).toBe(0)
  expect(decoded).toMatchObject(value)
}

describe('the oldest version, with the layout of the protocol guide, is encoded and decoded:', () => {
  it('Produce v0', () => {
    const records = Buffer.from('records')
    same(
      produce.request,
      0,
      {
        acks: -1,
        timeoutMs: 1500,
        topicData: [{ name: 'test', partitionData: [{ index: 3, records }] }],
      },
      `ffff                ; required acks
       000005dc            ; timeout
       00000001            ; topics
       0004 'test'
       00000001            ; partitions
       00000003            ; partition
       00000007 'records'  ; message set`,
    )
    same(
      produce.response,
      0,
      {
        responses: [
          {
            name: 'test',
            partitionResponses: [{ index: 3, errorCode: 6, baseOffset: 0x0102030405060708n }],
          },
        ],
      },
      `00000001           ; topics
       0004 'test'
       00000001           ; partitions
       00000003           ; partition
       0006               ; error code
       0102030405060708   ; offset`,
    )
  })

  it('Fetch v0', () => {
    same(
      fetch.request,
      0,
      {
        replicaId: -1,
        maxWaitMs: 500,
        minBytes: 1,
        topics: [
          {
            topic: 'test',
            partitions: [{ partition: 2, fetchOffset: 42n, partitionMaxBytes: 1048576 }],
          },
        ],
      },
      `ffffffff           ; replica id
       000001f4           ; max wait time
       00000001           ; min bytes
       00000001           ; topics
       0004 'test'
       00000001           ; partitions
       00000002           ; partition
       000000000000002a   ; fetch offset
       00100000           ; max bytes`,
    )
    same(
      fetch.response,
      0,
      {
        responses: [
          {
            topic: 'test',
            partitions: [
              { partitionIndex: 2, errorCode: 0, highWatermark: 43n, records: Buffer.from('set') },
            ],
          },
        ],
      },
      `00000001           ; topics
       0004 'test'
       00000001           ; partitions
       00000002           ; partition
       0000               ; error code
       000000000000002b   ; high watermark
       00000003 'set'     ; message set`,
    )
  })

  it('ListOffsets v0', () => {
    same(
      listOffsets.request,
      0,
      {
        replicaId: -1,
        topics: [
          {
            name: 'test',
            partitions: [{ partitionIndex: 0, timestamp: -2n, maxNumOffsets: 5 }],
          },
        ],
      },
      `ffffffff           ; replica id
       00000001           ; topics
       0004 'test'
       00000001           ; partitions
       00000000           ; partition
       fffffffffffffffe   ; time: the earliest
       00000005           ; max number of offsets`,
    )
    same(
      listOffsets.response,
      0,
      {
        topics: [
          {
            name: 'test',
            partitions: [{ partitionIndex: 0, errorCode: 0, oldStyleOffsets: [100n, 7n] }],
          },
        ],
      },
      `00000001           ; topics
       0004 'test'
       00000001           ; partitions
       00000000           ; partition
       0000               ; error code
       00000002           ; offsets
       0000000000000064
       0000000000000007`,
    )
  })

  it('Metadata v0', () => {
    same(
      metadata.request,
      0,
      { topics: [{ name: 'a' }, { name: 'bc' }] },
      `00000002           ; topics
       0001 'a'
       0002 'bc'`,
    )
    same(
      metadata.response,
      0,
      {
        brokers: [{ nodeId: 1, host: 'kafka', port: 9092 }],
        topics: [
          {
            errorCode: 0,
            name: 'a',
            partitions: [
              {
                errorCode: 9,
                partitionIndex: 0,
                leaderId: 1,
                replicaNodes: [1, 2],
                isrNodes: [1],
              },
            ],
          },
        ],
      },
      `00000001           ; brokers
       00000001           ; node id
       0005 'kafka'
       00002384           ; port
       00000001           ; topics
       0000               ; topic's error code
       0001 'a'
       00000001           ; partitions
       0009               ; partition's error code
       00000000           ; partition
       00000001           ; leader
       00000002 00000001 00000002   ; replicas
       00000001 00000001            ; isr`,
    )
  })

  it('OffsetCommit v0, which goes to ZooKeeper', () => {
    same(
      offsetCommit.request,
      0,
      {
        groupId: 'g',
        topics: [
          {
            name: 'test',
            partitions: [
              { partitionIndex: 0, committedOffset: 9n, committedMetadata: 'note' },
              { partitionIndex: 1, committedOffset: 10n, committedMetadata: null },
            ],
          },
        ],
      },
      `0001 'g'
       00000001           ; topics
       0004 'test'
       00000002           ; partitions
       00000000           ; partition
       0000000000000009   ; offset
       0004 'note'        ; metadata
       00000001
       000000000000000a
       ffff               ; null`,
    )
  })

  it('OffsetCommit v1, which has a timestamp for every partition', () => {
    same(
      offsetCommit.request,
      1,
      {
        groupId: 'g',
        generationIdOrMemberEpoch: 4,
        memberId: 'me',
        topics: [
          {
            name: 'test',
            partitions: [
              {
                partitionIndex: 0,
                committedOffset: 9n,
                commitTimestamp: -1n,
                committedMetadata: '',
              },
            ],
          },
        ],
      },
      `0001 'g'
       00000004           ; generation
       0002 'me'          ; member
       00000001           ; topics
       0004 'test'
       00000001           ; partitions
       00000000           ; partition
       0000000000000009   ; offset
       ffffffffffffffff   ; timestamp: the broker's
       0000               ; metadata`,
    )
  })

  it.each([0, 1])("OffsetCommit v%d's response", (version) => {
    same(
      offsetCommit.response,
      version,
      { topics: [{ name: 'test', partitions: [{ partitionIndex: 0, errorCode: 12 }] }] },
      `00000001           ; topics
       0004 'test'
       00000001           ; partitions
       00000000           ; partition
       000c               ; error code`,
    )
  })

  it.each([0, 1])('OffsetFetch v%d', (version) => {
    same(
      offsetFetch.request,
      version,
      { groupId: 'g', topics: [{ name: 'test', partitionIndexes: [0, 1] }] },
      `0001 'g'
       00000001           ; topics
       0004 'test'
       00000002           ; partitions
       00000000
       00000001`,
    )
    same(
      offsetFetch.response,
      version,
      {
        topics: [
          {
            name: 'test',
            partitions: [{ partitionIndex: 0, committedOffset: -1n, metadata: '', errorCode: 3 }],
          },
        ],
      },
      `00000001           ; topics
       0004 'test'
       00000001           ; partitions
       00000000           ; partition
       ffffffffffffffff   ; offset: none
       0000               ; metadata
       0003               ; error code`,
    )
  })

  it('FindCoordinator v0', () => {
    same(findCoordinator.request, 0, { key: 'group' }, `0005 'group'`)
    same(
      findCoordinator.response,
      0,
      { errorCode: 0, nodeId: 2, host: 'kafka', port: 9093 },
      `0000               ; error code
       00000002           ; node id
       0005 'kafka'
       00002385           ; port`,
    )
  })

  it('JoinGroup v0', () => {
    same(
      joinGroup.request,
      0,
      {
        groupId: 'g',
        sessionTimeoutMs: 30000,
        memberId: '',
        protocolType: 'consumer',
        protocols: [{ name: 'range', metadata: Buffer.from('meta') }],
      },
      `0001 'g'
       00007530           ; session timeout
       0000               ; member: none yet
       0008 'consumer'    ; protocol type
       00000001           ; protocols
       0005 'range'
       00000004 'meta'    ; metadata`,
    )
    same(
      joinGroup.response,
      0,
      {
        errorCode: 0,
        generationId: 1,
        protocolName: 'range',
        leader: 'me',
        memberId: 'me',
        members: [{ memberId: 'me', metadata: Buffer.from('meta') }],
      },
      `0000               ; error code
       00000001           ; generation
       0005 'range'       ; protocol
       0002 'me'          ; leader
       0002 'me'          ; member
       00000001           ; members
       0002 'me'
       00000004 'meta'    ; metadata`,
    )
  })

  it('SyncGroup v0', () => {
    same(
      syncGroup.request,
      0,
      {
        groupId: 'g',
        generationId: 1,
        memberId: 'me',
        assignments: [{ memberId: 'me', assignment: Buffer.from('mine') }],
      },
      `0001 'g'
       00000001           ; generation
       0002 'me'          ; member
       00000001           ; assignments
       0002 'me'
       00000004 'mine'    ; assignment`,
    )
    same(
      syncGroup.response,
      0,
      { errorCode: 27, assignment: Buffer.alloc(0) },
      `001b               ; error code
       00000000           ; assignment`,
    )
  })

  it('Heartbeat v0', () => {
    same(
      heartbeat.request,
      0,
      { groupId: 'g', generationId: 1, memberId: 'me' },
      `0001 'g'
       00000001           ; generation
       0002 'me'`,
    )
    same(heartbeat.response, 0, { errorCode: 27 }, '001b')
  })

  it('LeaveGroup v0', () => {
    same(leaveGroup.request, 0, { groupId: 'g', memberId: 'me' }, `0001 'g' 0002 'me'`)
    same(leaveGroup.response, 0, { errorCode: 25 }, '0019')
  })

  it('DescribeGroups v0', () => {
    same(
      describeGroups.request,
      0,
      { groups: ['g', 'h'] },
      `00000002           ; groups
       0001 'g'
       0001 'h'`,
    )
    same(
      describeGroups.response,
      0,
      {
        groups: [
          {
            errorCode: 0,
            groupId: 'g',
            groupState: 'Stable',
            protocolType: 'consumer',
            protocolData: 'range',
            members: [
              {
                memberId: 'me',
                clientId: 'id',
                clientHost: '/10.0.0.1',
                memberMetadata: Buffer.from('meta'),
                memberAssignment: Buffer.from('mine'),
              },
            ],
          },
        ],
      },
      `00000001           ; groups
       0000               ; error code
       0001 'g'
       0006 'Stable'      ; state
       0008 'consumer'    ; protocol type
       0005 'range'       ; protocol
       00000001           ; members
       0002 'me'          ; member id
       0002 'id'          ; client id
       0009 '/10.0.0.1'   ; client host
       00000004 'meta'    ; metadata
       00000004 'mine'    ; assignment`,
    )
  })

  it('ListGroups v0', () => {
    same(listGroups.request, 0, {}, '')
    same(
      listGroups.response,
      0,
      { errorCode: 0, groups: [{ groupId: 'g', protocolType: 'consumer' }] },
      `0000               ; error code
       00000001           ; groups
       0001 'g'
       0008 'consumer'`,
    )
  })
})
