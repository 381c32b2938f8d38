import { listOffsets as listOffsetsApi } from '../../protocol/apis/list-offsets.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { Deadline } from '../async/deadline.ts'
import { addTo } from '../cluster/add-to.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { retrying } from '../cluster/retry.ts'
import { BrokerError, LeaderNotFoundError, suggestsNewMetadata } from '../errors.ts'
import type { Broker } from '../network/broker.ts'

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
 * The offset of each partition that the spec means; the end of the log where no message is as late as the
 * time. Brokers before 0.10.1 find times only to the segment: they give the start of the last segment that
 * was finished before. With `isReadCommitted` the log ends where the first open transaction begins.
 * Retries within the deadline, then throws why.
 */
export async function listOffsets(
  cluster: Cluster,
  topic: string,
  partitions: readonly number[],
  spec: OffsetSpec,
  deadline: Deadline,
  isReadCommitted = false,
): Promise<Map<number, number>> {
  const found = new Map<number, number>()
  const { backoff, logger } = cluster.options
  const what = `looking up offsets of topic '${topic}'`
  let hasMoved = false
  await retrying({ what, deadline, backoff, logger }, async () => {
    if (hasMoved) await cluster.refresh(topic)
    const missing = partitions.filter((partition) => !found.has(partition))
    const error = await lookUp(cluster, topic, missing, spec, found, isReadCommitted)
    if (error === undefined) {
      checkAll(topic, partitions, found)
      return
    }
    hasMoved = suggestsNewMetadata(error)
    throw error
  })
  if (typeof spec === 'string') return found
  const where = (offset: number) =>
    [...found].filter((entry) => entry[1] === offset).map(([partition]) => partition)
  const ends = where(NONE_AFTER)
  const latest = await listOffsets(cluster, topic, ends, 'latest', deadline, isReadCommitted)
  const earliest = await listOffsets(cluster, topic, where(NONE_BEFORE), 'earliest', deadline)
  return new Map([...found, ...latest, ...earliest])
}

/** A broker that answers for fewer partitions than it was asked for is not asked for ever. */
function checkAll(
  topic: string,
  partitions: readonly number[],
  found: ReadonlyMap<number, number>,
): void {
  const left = partitions.find((partition) => !found.has(partition))
  if (left === undefined) return
  const what = `looking up offsets of ${topic}-${left}`
  const detail = 'the broker did not say anything about it'
  const context = { topic, partition: left }
  throw new BrokerError(ErrorCode.UNKNOWN_SERVER_ERROR, what, context, detail)
}

/** One round: fills in what the leaders say and returns the first error. */
async function lookUp(
  cluster: Cluster,
  topic: string,
  partitions: readonly number[],
  spec: OffsetSpec,
  found: Map<number, number>,
  isReadCommitted: boolean,
): Promise<Error | undefined> {
  const byLeader = new Map<Broker, number[]>()
  let error: Error | undefined
  for (const partition of partitions) {
    const leader = cluster.leaderOf(topic, partition)
    if (leader === undefined) {
      error = new LeaderNotFoundError(`${topic}-${partition} has no leader`, { topic, partition })
      continue
    }
    addTo(byLeader, leader, partition)
  }
  await Promise.all(
    [...byLeader].map(async ([leader, ledPartitions]) => {
      try {
        const asked = ask(cluster, leader, topic, ledPartitions, spec, found, isReadCommitted)
        error = (await asked) ?? error
      } catch (problem) {
        error = problem as Error
      }
    }),
  )
  return error
}

/** Asks one leader: fills in what it says and returns the first error. */
async function ask(
  cluster: Cluster,
  leader: Broker,
  topic: string,
  partitions: readonly number[],
  spec: OffsetSpec,
  found: Map<number, number>,
  isReadCommitted: boolean,
): Promise<Error | undefined> {
  const timestamp = spec === 'earliest' ? EARLIEST : spec === 'latest' ? LATEST : BigInt(spec)
  const body = {
    replicaId: -1,
    topics: [
      {
        name: topic,
        partitions: partitions.map((partitionIndex) => ({ partitionIndex, timestamp })),
      },
    ],
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
  for (const { partitionIndex, errorCode, offset, oldStyleOffsets } of response.topics[0]
    ?.partitions ?? []) {
    if (errorCode === ErrorCode.NONE) {
      found.set(partitionIndex, Number(version > 0 ? offset : (oldStyleOffsets[0] ?? NONE_BEFORE)))
      continue
    }
    const context = { topic, partition: partitionIndex, broker: leader.name }
    error = new BrokerError(errorCode, `looking up offsets of ${topic}-${partitionIndex}`, context)
  }
  return error
}
