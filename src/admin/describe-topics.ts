/**
 * Topics by name. Brokers that have DescribeTopicPartitions (KIP-966) return pages of partitions,
 * with eligible leader replicas; Metadata is used for older ones.
 */
import {
  describeTopicPartitions,
  type DescribeTopicPartitionsResponse,
} from '../../protocol/apis/describe-topic-partitions.ts'
import { metadata } from '../../protocol/apis/metadata.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { Deadline } from '../async/deadline.ts'
import { CALL_OPTIONS, type CallOptions } from '../call-options.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { Outcome } from '../cluster/fan-out.ts'
import { metadataRequest } from '../cluster/metadata-request.ts'
import type { Recipient } from '../cluster/recipient.ts'
import { BrokerError, UnsupportedVersionError } from '../errors.ts'
import type { OptionTable } from '../option-table.ts'
import { aBoolean, anInteger } from '../options.ts'
import { compareText, itemError, outcomeOf } from './items.ts'
import { topicDescription, type TopicDescription } from './topic-description.ts'

/** The brokers' default limit, `max.request.partition.size.limit`. */
export const PARTITIONS_IN_A_PAGE = 2_000

/** The options of `describeTopics`. */
export interface DescribeTopicsOptions extends CallOptions {
  /** Whether the results contain the operations that this client may perform. Default: false. */
  readonly includeAuthorizedOperations?: boolean
  /**
   * How many partitions one response contains (Kafka 3.8 or newer; brokers may send fewer).
   * Default: 2,000.
   */
  readonly responsePartitionLimit?: number
}

/** The checks and defaults of `DescribeTopicsOptions`. */
export const DESCRIBE_TOPICS_OPTIONS = {
  ...CALL_OPTIONS,
  includeAuthorizedOperations: { check: aBoolean, default: false },
  responsePartitionLimit: { check: anInteger(1, 2 ** 31 - 1), default: PARTITIONS_IN_A_PAGE },
} as const satisfies OptionTable<DescribeTopicsOptions>

type DescribeTopicsSettings = Required<Omit<DescribeTopicsOptions, keyof CallOptions>>

/**
 * How many topics one request names. This limits the size of a response, which a broker builds in
 * memory.
 */
export const TOPICS_IN_A_REQUEST = 1_000

const WITH_OPERATIONS = 8

type Page = DescribeTopicPartitionsResponse
export type PageCursor = NonNullable<Page['nextCursor']>

export async function describeTopicsByName(
  cluster: Cluster,
  topics: readonly string[],
  deadline: Deadline,
  {
    includeAuthorizedOperations = false,
    responsePartitionLimit = PARTITIONS_IN_A_PAGE,
  }: Partial<DescribeTopicsSettings> = {},
): Promise<readonly TopicDescription[]> {
  const settings = { includeAuthorizedOperations, responsePartitionLimit }
  const outcomes = await cluster.fanOut.run<string, TopicDescription>({
    items: topics,
    to: () => 'any',
    what: 'describing topics',
    deadline,
    maxItems: TOPICS_IN_A_REQUEST,
    ask: async (names, recipient) => {
      const found =
        (await byPages(names, recipient, settings)) ??
        (await byMetadata(names, recipient, settings))
      return names.map((name) => outcomeIn(found, name, recipient))
    },
  })
  return outcomes.map(({ item, result, error }) =>
    error === undefined ? result : { topic: item, isInternal: false, partitions: [], error },
  )
}

/** Undefined if the broker has no DescribeTopicPartitions: before Kafka 3.8, and with ZooKeeper. */
async function byPages(
  names: readonly string[],
  recipient: Recipient,
  { includeAuthorizedOperations, responsePartitionLimit }: DescribeTopicsSettings,
): Promise<ReadonlyMap<string, TopicDescription> | undefined> {
  const found = new Map<string, TopicDescription>()
  let left = [...names].sort(compareText)
  let cursor: PageCursor | null = null
  do {
    let page: Page
    try {
      page = await recipient.request(describeTopicPartitions, {
        topics: left.map((name) => ({ name })),
        responsePartitionLimit,
        cursor,
      })
    } catch (error) {
      if (error instanceof UnsupportedVersionError && cursor === null) return undefined
      throw error
    }
    for (const topic of page.topics) {
      if (topic.name === null) continue
      const described = topicDescription(topic, topic.name, includeAuthorizedOperations)
      const begun = found.get(topic.name)
      // Each page repeats topics that this client may not see.
      if (begun?.error !== undefined) continue
      found.set(topic.name, begun === undefined ? described : joined(begun, described))
    }
    const next = nextCursor(page, cursor, 'describing topics')
    cursor = next
    if (next !== null) left = left.filter((name) => compareText(name, next.topicName) >= 0)
  } while (cursor !== null)
  return found
}

async function byMetadata(
  names: readonly string[],
  recipient: Recipient,
  { includeAuthorizedOperations }: DescribeTopicsSettings,
): Promise<ReadonlyMap<string, TopicDescription>> {
  const response = await recipient.request(metadata, (version) => ({
    ...metadataRequest(version, names),
    ...(includeAuthorizedOperations && version >= WITH_OPERATIONS
      ? { includeTopicAuthorizedOperations: true }
      : {}),
  }))
  return new Map(
    response.topics.flatMap((topic) =>
      topic.name === null
        ? []
        : [[topic.name, topicDescription(topic, topic.name, includeAuthorizedOperations)]],
    ),
  )
}

/**
 * An unknown topic is a final answer; other errors, such as those during an election, may be
 * temporary.
 */
function outcomeIn(
  found: ReadonlyMap<string, TopicDescription>,
  name: string,
  { name: broker }: Recipient,
): Outcome<string, TopicDescription> {
  const topic = found.get(name) ?? unknown(name)
  const code = topic.error instanceof BrokerError ? topic.error.errorCode : ErrorCode.NONE
  if (code === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION) return { item: name, result: topic }
  const error = itemError(code, `describing topic '${name}'`, broker, null, { topic: name })
  return outcomeOf(name, error, topic)
}

/** A topic whose partitions continue in a later page. */
export function joined(begun: TopicDescription, rest: TopicDescription): TopicDescription {
  return { ...begun, partitions: [...begun.partitions, ...rest.partitions] }
}

/** The start of the next page; null after the last. Throws BrokerError for an invalid cursor. */
export function nextCursor(page: Page, before: PageCursor | null, what: string): PageCursor | null {
  const next = page.nextCursor
  if (next === null) return null
  // A cursor that does not advance would be followed forever.
  const order = before === null ? 1 : compareText(next.topicName, before.topicName)
  const isAfter = order > 0 || (order === 0 && next.partitionIndex > (before?.partitionIndex ?? -1))
  if (!isAfter) throw wrong(what, 'the next page does not begin after the previous one')
  if (page.topics.length === 0) throw wrong(what, 'a page that is not the last one is empty')
  return next
}

function wrong(what: string, detail: string): BrokerError {
  return new BrokerError(ErrorCode.UNKNOWN_SERVER_ERROR, what, {}, detail)
}

function unknown(topic: string): TopicDescription {
  const what = `describing topic '${topic}'`
  const error = itemError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, what, undefined, null, { topic })
  return { topic, isInternal: false, partitions: [], ...(error === undefined ? {} : { error }) }
}
