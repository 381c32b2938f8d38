import * as apis from '../../../../protocol/apis/index.ts'
import { ErrorCode } from '../../../../protocol/errors.ts'
import { encodeBatch } from '../../../../protocol/records/encode-batch.ts'
import { OutgoingRecord } from '../../../../protocol/records/outgoing-record.ts'
import { ZERO_UUID, type Encodable } from '../../../../protocol/schema/fields.ts'
import { until } from '../../../support/until.ts'
import { ask, step, type Side, type Step } from './step.ts'

export const NOW = Date.now()

export function batch(
  values: readonly (string | null)[],
  options: Parameters<typeof encodeBatch>[1] = {},
) {
  const records = values.map((value, index) => new OutgoingRecord('key', value, NOW + index))
  return encodeBatch(records, options)
}

export const produce = (
  what: string,
  topic: string,
  index: number,
  records: Buffer | null,
  { acks = -1, version = 13 } = {},
) =>
  step(what, apis.produce, version, (side) => ({
    acks,
    timeoutMs: 5000,
    topicData: [
      {
        ...(version >= 13 ? { topicId: side.topicId(topic) } : { name: topic }),
        partitionData: [{ index, records }],
      },
    ],
  }))

interface FetchOptions {
  readonly version?: number
  readonly offset?: bigint
  readonly maxBytes?: number
  readonly partitionMaxBytes?: number
  readonly minBytes?: number
  readonly epoch?: number
  readonly session?: boolean
  readonly isolationLevel?: number
  readonly leaderEpoch?: number
  readonly forget?: readonly number[]
}

export const fetched = (
  what: string,
  topic: string,
  partitions: readonly number[],
  options: FetchOptions = {},
) => {
  const { version = 18 } = options
  return step(
    what,
    apis.fetch,
    version,
    (side) => ({
      maxWaitMs: 100,
      minBytes: options.minBytes ?? 1,
      maxBytes: options.maxBytes ?? 1_000_000,
      isolationLevel: options.isolationLevel ?? 0,
      ...(version >= 7
        ? {
            sessionId: options.session === true ? side.number('session') : 0,
            sessionEpoch: options.epoch ?? -1,
          }
        : {}),
      topics:
        partitions.length === 0
          ? []
          : [
              {
                ...(version >= 13 ? { topicId: side.topicId(topic) } : { topic }),
                partitions: partitions.map((partition) => ({
                  partition,
                  fetchOffset: options.offset ?? 0n,
                  partitionMaxBytes: options.partitionMaxBytes ?? 1_000_000,
                  currentLeaderEpoch: options.leaderEpoch ?? -1,
                })),
              },
            ],
      forgottenTopicsData:
        options.forget === undefined
          ? []
          : [{ topicId: side.topicId(topic), partitions: options.forget }],
    }),
    (side, { sessionId }) => {
      if (sessionId !== 0) {
        side.values.set('session', sessionId)
        side.names.set(sessionId, 'session')
      }
    },
  )
}

export const listed = (what: string, timestamp: bigint, version = 11) =>
  step(what, apis.listOffsets, version, {
    replicaId: -1,
    isolationLevel: 0,
    topics: [
      {
        name: 'a',
        partitions: [{ partitionIndex: 0, timestamp }],
      },
      { name: 'nope', partitions: [{ partitionIndex: 0, timestamp: -1n }] },
    ],
  })

/**
 * Creates a topic, and waits until the broker leads its partitions: a real one responds before, and then refuses
 * requests about them for a moment.
 */
export function create(
  what: string,
  topic: Partial<CreatableTopic> & { name: string },
  version = 7,
): Step {
  const created = new Map<string, number>()
  const creation = step(
    what,
    apis.createTopics,
    version,
    {
      topics: [{ numPartitions: 1, replicationFactor: 1, assignments: [], configs: [], ...topic }],
      timeoutMs: 10_000,
      validateOnly: false,
    },
    (side, { topics }) => {
      created.clear()
      for (const { name, topicId, errorCode, numPartitions } of topics) {
        if (errorCode === ErrorCode.NONE) created.set(name, Math.max(numPartitions, 1))
        if (topicId === ZERO_UUID) continue
        side.topicIds.set(name, topicId)
        side.names.set(topicId, `id of ${name}`)
      }
    },
  )
  return {
    name: creation.name,
    async ask(side) {
      const response = await creation.ask(side)
      for (const [name, count] of created) await until(() => isLed(side, name, count))
      return response
    },
  }
}

const LATEST = -1n

async function isLed(side: Side, name: string, count: number): Promise<boolean> {
  const partitions = Array.from({ length: count }, (_, partitionIndex) => ({
    partitionIndex,
    timestamp: LATEST,
  }))
  const { topics } = await ask(side, apis.listOffsets, 1, {
    replicaId: -1,
    topics: [{ name, partitions }],
  })
  return topics.every((topic) =>
    topic.partitions.every(({ errorCode }) => errorCode === ErrorCode.NONE),
  )
}

type CreatableTopic = Encodable<typeof apis.createTopics.request.fields>['topics'][number]
