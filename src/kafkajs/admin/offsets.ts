import type { ListedOffset, OffsetPosition } from '../../index.ts'
import { offsetFetch, type OffsetFetchResponse } from '../../../protocol/index.ts'
import { describe, OFFSET_FETCH_OF_ONE } from '../consumer/group.ts'
import { EARLIEST, LATEST } from '../consumer/checks.ts'
import { errorFrom, throwIfFailed } from '../error-from.ts'
import { KafkaJSBrokerNotFound, KafkaJSDeleteTopicRecordsError, KafkaJSError } from '../errors.ts'
import { finalError } from '../retry.ts'
import type { Admin } from '../types/admin.ts'
import type { FetchOffsetsPartition, SeekEntry } from '../types/common.ts'
import { checkTopicName, operate, refuse, type AdminParts } from './context.ts'

const UNKNOWN_TOPIC = ['UNKNOWN_TOPIC_OR_PARTITION']

type OffsetOperations = Pick<
  Admin,
  | 'fetchOffsets'
  | 'fetchTopicOffsets'
  | 'fetchTopicOffsetsByTimestamp'
  | 'setOffsets'
  | 'resetOffsets'
  | 'deleteTopicRecords'
>

export function offsetOperations(parts: AdminParts): OffsetOperations {
  const { topics: metadata, logger } = parts

  const loadedPartitions = (topic: string): number[] =>
    metadata
      .find(topic)
      .map(({ partitionId }) => partitionId)
      .sort((a, b) => a - b)

  const partitionsOf = async (topic: string): Promise<number[]> => {
    await metadata.load([topic])
    return loadedPartitions(topic)
  }

  const listed = async (
    topic: string,
    partitions: readonly number[],
    at: OffsetPosition,
  ): Promise<readonly ListedOffset[]> => {
    const client = await parts.session.client()
    const found = await client.admin.listOffsets(
      partitions.map((partition) => ({ topic, partition })),
      at,
    )
    for (const { error } of found) if (error !== undefined) throw error
    return found
  }

  const fetchTopicOffsets: Admin['fetchTopicOffsets'] = async (topic) => {
    checkTopicName(topic)
    return operate(
      parts,
      async () => {
        const partitions = await partitionsOf(topic)
        const high = await listed(topic, partitions, 'latest')
        const low = offsets(await listed(topic, partitions, 'earliest'))
        return high.map(({ partition, offset }) => ({
          partition,
          offset: String(offset),
          high: String(offset),
          low: String(low.get(partition)),
        }))
      },
      UNKNOWN_TOPIC,
    )
  }

  /** Commits offsets for a group without members. The offsets −2 and −1 stand for the ends of the log. */
  const setOffsets: Admin['setOffsets'] = async ({ groupId, topic, partitions }) => {
    if (!groupId) refuse(`Invalid groupId ${groupId}`)
    if (!topic) refuse(`Invalid topic ${topic}`)
    const given: unknown = partitions
    if (!Array.isArray(given) || given.length === 0) refuse('Invalid partitions')
    await operate(parts, async (client) => {
      const { state } = await describe(client, groupId)
      if (state !== 'Empty' && state !== 'Dead') {
        refuse(`The consumer group must have no running instances, current state: ${state}`)
      }
      const endsFor = async (end: number, at: OffsetPosition) =>
        partitions.some(({ offset }) => Number(offset) === end)
          ? offsets(await listed(topic, await partitionsOf(topic), at))
          : new Map<number, number>()
      const earliest = await endsFor(EARLIEST, 'earliest')
      const latest = await endsFor(LATEST, 'latest')
      const offsetOf = ({ partition, offset }: SeekEntry): number => {
        const at = Number(offset)
        if (at >= 0) return at
        const ends = at === EARLIEST ? earliest : latest
        return ends.get(Number(partition)) ?? 0
      }
      const results = await client.admin.alterGroupOffsets(
        groupId,
        partitions.map((entry) => ({
          topic,
          partition: Number(entry.partition),
          offset: offsetOf(entry),
        })),
        { settle: true },
      )
      for (const { error } of results) if (error !== undefined) throw error
    })
  }

  return {
    fetchTopicOffsets,
    setOffsets,

    fetchTopicOffsetsByTimestamp: async (topic, timestamp) => {
      checkTopicName(topic)
      return operate(
        parts,
        async () => {
          const partitions = await partitionsOf(topic)
          const latest = await listed(topic, partitions, 'latest')
          // The timestamps of messages are text.
          const found =
            timestamp === undefined
              ? latest
              : await listed(topic, partitions, new Date(Number(timestamp)))
          const ends = offsets(latest)
          return found.map(({ partition, offset = LATEST }) => ({
            partition,
            offset: String(offset >= 0 ? offset : ends.get(partition)),
          }))
        },
        UNKNOWN_TOPIC,
      )
    },

    fetchOffsets: async ({ groupId, topics = [], resolveOffsets = false }) => {
      if (!groupId) refuse(`Invalid groupId ${groupId}`)
      if (!Array.isArray(topics)) refuse('Expected topics array to be set')
      return operate(parts, async (client) => {
        await metadata.load(topics)
        const asked = topics.map((name) => ({ name, partitionIndexes: loadedPartitions(name) }))
        const response = await client.request(
          offsetFetch,
          (version) => ({
            groupId,
            topics: asked.length === 0 && version >= FETCH_ALL ? null : asked,
          }),
          { to: { coordinator: 'group', key: groupId }, maxVersion: OFFSET_FETCH_OF_ONE },
        )
        const found = response.topics.map(committedOf)
        if (resolveOffsets) {
          for (const { topic, partitions } of found) {
            const ends = await fetchTopicOffsets(topic)
            for (const one of partitions) {
              const end = ends.find(({ partition }) => partition === one.partition)
              if (Number(one.offset) === EARLIEST) one.offset = end?.low ?? one.offset
              if (Number(one.offset) === LATEST) one.offset = end?.high ?? one.offset
            }
            await setOffsets({ groupId, topic, partitions })
          }
        }
        return found
      })
    },

    resetOffsets: async ({ groupId, topic, earliest = false }) => {
      if (!groupId) refuse(`Invalid groupId ${groupId}`)
      if (!topic) refuse(`Invalid topic ${topic}`)
      const partitions = await operate(parts, () => partitionsOf(topic))
      await setOffsets({
        groupId,
        topic,
        partitions: partitions.map((partition) => ({
          partition,
          offset: String(earliest ? EARLIEST : LATEST),
        })),
      })
    },

    deleteTopicRecords: async ({ topic, partitions }) => {
      if (!topic || typeof topic !== 'string') refuse(`Invalid topic "${String(topic)}"`)
      const given: unknown = partitions
      if (!Array.isArray(given) || given.length === 0) refuse('Invalid partitions')
      await operate(parts, async (client) => {
        const ends = new Map(
          (await fetchTopicOffsets(topic)).map(({ partition, low, high }) => [
            partition,
            { low: Number(low), high: Number(high) },
          ]),
        )
        const unknown = partitions.filter(({ partition }) => !ends.has(partition))
        if (unknown.length > 0) {
          const reason = 'Could not find the leader for the partition'
          const error = new KafkaJSBrokerNotFound(reason, { retriable: false })
          throw new KafkaJSDeleteTopicRecordsError({
            topic,
            partitions: unknown.map(({ partition, offset }) => ({ partition, offset, error })),
          })
        }
        for (const { partition, offset } of partitions) {
          const { low } = ends.get(partition)!
          if (Number(offset) !== LATEST && Number(offset) < low) {
            logger.warn(
              'The requested offset is before the earliest offset maintained on the partition - no records will be deleted from this partition',
              { topic, partition, offset },
            )
          }
        }
        const results = await client.admin.deleteRecords(
          partitions.map(({ partition, offset }) => ({
            topic,
            partition,
            beforeOffset: Number(offset) === LATEST ? ends.get(partition)!.high : Number(offset),
          })),
          { settle: true },
        )
        const failed = results.flatMap(({ partition, error }) =>
          error === undefined ? [] : { partition, error: errorFrom(error) },
        )
        if (failed.length === 0) return
        const error = new KafkaJSDeleteTopicRecordsError({
          topic,
          partitions: failed.map(({ partition, error }) => ({
            partition,
            offset: partitions.find((one) => one.partition === partition)?.offset ?? '',
            error: error instanceof KafkaJSError ? error : new KafkaJSError(error),
          })),
        })
        const { retries, initialRetryTime } = parts.retry
        const final = finalError(parts.retry, error, retries, initialRetryTime)
        if (final !== undefined) throw final
      })
    },
  }
}

/** The first version in which a request without topics asks for all topics. */
const FETCH_ALL = 2

/** The offsets by partition; a partition without one has no entry. */
function offsets(listed: readonly ListedOffset[]): Map<number, number> {
  return new Map(
    listed.flatMap(({ partition, offset }) => (offset === undefined ? [] : [[partition, offset]])),
  )
}

function committedOf({ name, partitions }: OffsetFetchResponse['topics'][number]): {
  topic: string
  partitions: FetchOffsetsPartition[]
} {
  return {
    topic: name,
    partitions: partitions.map(({ partitionIndex, committedOffset, metadata, errorCode }) => {
      throwIfFailed(errorCode)
      const text = metadata === '' ? null : metadata
      return { partition: partitionIndex, offset: String(committedOffset), metadata: text }
    }),
  }
}
