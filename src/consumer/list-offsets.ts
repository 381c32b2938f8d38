import { listOffsets as listOffsetsApi } from '../../protocol/apis/list-offsets.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { Deadline } from '../async/deadline.ts'
import { addTo } from '../cluster/add-to.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { retrying } from '../cluster/retry.ts'
import { BrokerError, LeaderNotFoundError, suggestsNewMetadata } from '../errors.ts'
import type { Broker } from '../network/broker.ts'
import { byTopic, nameOf, type TopicPartition } from './topic-partition.ts'

/** `earliest`, `latest`, or the first message at or after a time in milliseconds since 1970. */
export type OffsetSpec = 'earliest' | 'latest' | number

const EARLIEST = -2n
const LATEST = -1n
const WITH_ISOLATION = 2

/** What a broker answers where no message is as late as the time: whatever comes next is. */
const NONE_AFTER = -1
/** Noted for a broker before 0.10.1 that finds no segment finished before the time: start at the first. */
const NONE_BEFORE = -2

/**
 * The offset of each partition that the spec means, by `nameOf`; the end of the log where no message is as late as
 * the time. Each leader gets one request, whatever the number of topics. Brokers before 0.10.1 find times only to the
 * segment: they give the start of the last segment that was finished before. With `isReadCommitted` the log ends where
 * the first open transaction begins. Retries within the deadline, then throws why.
 */
export async function listOffsets(
  cluster: Cluster,
  partitions: readonly TopicPartition[],
  spec: OffsetSpec,
  deadline: Deadline,
  isReadCommitted = false,
): Promise<Map<string, number>> {
  const found = new Map<string, number>()
  if (partitions.length === 0) return found
  const { backoff, logger } = cluster.options
  const what = `looking up offsets of ${topicsIn(partitions)}`
  let hasMoved = false
  await retrying({ what, deadline, backoff, logger }, async () => {
    const missing = partitions.filter((one) => !found.has(nameOf(one)))
    if (hasMoved) {
      await Promise.all([...byTopic(missing).keys()].map((topic) => cluster.refresh(topic)))
    }
    const error = await lookUp({ cluster, spec, found, isReadCommitted }, missing)
    if (error === undefined) {
      checkAll(partitions, found)
      return
    }
    hasMoved = suggestsNewMetadata(error)
    throw error
  })
  if (typeof spec === 'string') return found
  const where = (offset: number) => partitions.filter((one) => found.get(nameOf(one)) === offset)
  const ends = where(NONE_AFTER)
  const latest = await listOffsets(cluster, ends, 'latest', deadline, isReadCommitted)
  const earliest = await listOffsets(cluster, where(NONE_BEFORE), 'earliest', deadline)
  return new Map([...found, ...latest, ...earliest])
}

function topicsIn(partitions: readonly TopicPartition[]): string {
  const topics = [...byTopic(partitions).keys()]
  return topics.length === 1 ? `topic '${topics[0]}'` : `${topics.length} topics`
}

/** A broker that answers for fewer partitions than it was asked for is not asked for ever. */
function checkAll(partitions: readonly TopicPartition[], found: ReadonlyMap<string, number>): void {
  const left = partitions.find((one) => !found.has(nameOf(one)))
  if (left === undefined) return
  const what = `looking up offsets of ${nameOf(left)}`
  const detail = 'the broker did not say anything about it'
  const { topic, partition } = left
  throw new BrokerError(ErrorCode.UNKNOWN_SERVER_ERROR, what, { topic, partition }, detail)
}

interface LookUp {
  readonly cluster: Cluster
  readonly spec: OffsetSpec
  readonly isReadCommitted: boolean
  /** Filled in with what the leaders say. */
  readonly found: Map<string, number>
}

/** One round: asks all leaders and returns the first error. */
async function lookUp(
  what: LookUp,
  partitions: readonly TopicPartition[],
): Promise<Error | undefined> {
  const byLeader = new Map<Broker, TopicPartition[]>()
  let error: Error | undefined
  for (const { topic, partition } of partitions) {
    const leader = what.cluster.leaderOf(topic, partition)
    if (leader === undefined) {
      error = new LeaderNotFoundError(`${topic}-${partition} has no leader`, { topic, partition })
      continue
    }
    addTo(byLeader, leader, { topic, partition })
  }
  await Promise.all(
    [...byLeader].map(async ([leader, ledPartitions]) => {
      try {
        error = (await ask(what, leader, ledPartitions)) ?? error
      } catch (problem) {
        error = problem as Error
      }
    }),
  )
  return error
}

/** Asks one leader and returns the first error. */
async function ask(
  { cluster, spec, isReadCommitted, found }: LookUp,
  leader: Broker,
  partitions: readonly TopicPartition[],
): Promise<Error | undefined> {
  const timestamp = spec === 'earliest' ? EARLIEST : spec === 'latest' ? LATEST : BigInt(spec)
  const body = {
    replicaId: -1,
    topics: [...byTopic(partitions)].map(([name, ofTopic]) => ({
      name,
      partitions: ofTopic.map(({ partition }) => ({ partitionIndex: partition, timestamp })),
    })),
  }
  let version = 0
  const response = await leader.request(
    listOffsetsApi,
    (negotiated) => {
      version = negotiated
      return negotiated >= WITH_ISOLATION
        ? { ...body, isolationLevel: isReadCommitted ? 1 : 0 }
        : body
    },
    { timeoutMs: cluster.options.requestTimeoutMs },
  )
  let error: Error | undefined
  for (const { name: topic, partitions: answered } of response.topics) {
    for (const { partitionIndex: partition, errorCode, offset, oldStyleOffsets } of answered) {
      const name = nameOf({ topic, partition })
      if (errorCode === ErrorCode.NONE) {
        const value = Number(version > 0 ? offset : (oldStyleOffsets[0] ?? NONE_BEFORE))
        const isNone = typeof spec === 'number' && (value === NONE_AFTER || value === NONE_BEFORE)
        if (isNone || (value >= 0 && Number.isSafeInteger(value))) {
          found.set(name, value)
          continue
        }
      }
      const context = { topic, partition, broker: leader.name }
      error =
        errorCode === ErrorCode.NONE
          ? new BrokerError(
              ErrorCode.UNKNOWN_SERVER_ERROR,
              `looking up offsets of ${name}`,
              context,
              'the broker names no offset',
            )
          : new BrokerError(errorCode, `looking up offsets of ${name}`, context)
    }
  }
  return error
}
