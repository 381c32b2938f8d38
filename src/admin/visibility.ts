/**
 * After a change of topics, each broker learns of it on its own. Until then it reports that a new
 * topic does not exist, or still returns a deleted one. Java's admin client leaves this to its
 * callers.
 */
import { createTopics } from '../../protocol/apis/create-topics.ts'
import { metadata } from '../../protocol/apis/metadata.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import { ZERO_UUID } from '../../protocol/schema/fields.ts'
import { backoffMs } from '../async/backoff.ts'
import { Deadline } from '../async/deadline.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { metadataRequest } from '../cluster/metadata-request.ts'
import type { Recipient } from '../cluster/recipient.ts'
import { isRetriable, RequestTimeoutError, requiresKafka } from '../errors.ts'
import { brokerTimeoutMs } from './context.ts'
import { itemError, outcomeOf } from './items.ts'

/** A topic as one broker knows it. */
interface SeenTopic {
  /** 0 while one of them has no leader. */
  readonly ledPartitions: number
  readonly topicId: string
}

/** The view of one broker, by topic. */
type SeenTopics = ReadonlyMap<string, SeenTopic>

/**
 * Deleted topics with their ids; undefined where the brokers do not report ids. An id distinguishes
 * a deleted topic from one that was created later with the same name (KIP-516).
 */
export type DeletedTopics = ReadonlyMap<string, string | undefined>

/**
 * Waits until every broker that responds knows each topic with this many partitions, each with a
 * leader.
 */
export function waitUntilVisible(
  cluster: Cluster,
  topics: ReadonlyMap<string, number>,
  deadline: Deadline,
): Promise<void> {
  return waitUntil(cluster, [...topics.keys()], deadline, 'visible', (seen) =>
    [...topics].every(([topic, partitions]) => (seen.get(topic)?.ledPartitions ?? 0) >= partitions),
  )
}

/**
 * Waits until no broker that responds knows any of the topics, and each of them could be created
 * again or was.
 */
export async function waitUntilGone(
  cluster: Cluster,
  topics: DeletedTopics,
  deadline: Deadline,
): Promise<void> {
  await waitUntil(cluster, [...topics.keys()], deadline, 'gone', (seen) =>
    [...topics].every(([topic, id]) => !seen.has(topic) || isAnother(seen.get(topic), id)),
  )
  await waitUntilCreatable(cluster, topics, deadline)
}

/** Whether the topic was created after the one with this id was deleted. */
function isAnother(seen: SeenTopic | undefined, deletedId: string | undefined): boolean {
  if (seen === undefined || deletedId === undefined || seen.topicId === ZERO_UUID) return false
  return seen.topicId !== deletedId
}

/**
 * With ZooKeeper, the brokers forget a topic before the controller has removed it. Until then it
 * cannot be created again, and only an attempt to create it shows this. Other errors of the
 * attempt, such as a missing authorization, show nothing.
 */
async function waitUntilCreatable(
  cluster: Cluster,
  topics: DeletedTopics,
  deadline: Deadline,
): Promise<void> {
  await cluster.fanOut.run<string, undefined>({
    items: [...topics.keys()],
    to: () => 'controller',
    what: 'waiting until topics are deleted',
    deadline,
    retry: (error) => isRetriable(error) || error.code === 'TOPIC_ALREADY_EXISTS',
    ask: async (names, recipient) => {
      const response = await recipient.request(createTopics, (version) => ({
        topics: names.map((name) => ({
          name,
          numPartitions: 1,
          replicationFactor: 1,
          assignments: [],
          configs: [],
        })),
        timeoutMs: brokerTimeoutMs(cluster, deadline),
        validateOnly: validatesOnly(version),
      }))
      const existing = response.topics
        .filter(({ errorCode }) => errorCode === ErrorCode.TOPIC_ALREADY_EXISTS)
        .map(({ name }) => name)
      const seen: SeenTopics = existing.length === 0 ? new Map() : await seenBy(recipient, existing)
      return response.topics.map(({ name, errorCode }) =>
        outcomeOf(
          name,
          isAnother(seen.get(name), topics.get(name))
            ? undefined
            : itemError(errorCode, `deleting topic '${name}'`, recipient.name),
          undefined,
        ),
      )
    },
  })
}

/** Throws if the attempt would create the topic: Kafka 0.10.1 has no dry run. */
function validatesOnly(version: number): true {
  if (version > 0) return true
  throw requiresKafka('creating topics: a dry run', '0.10.2')
}

async function waitUntil(
  cluster: Cluster,
  topics: readonly string[],
  deadline: Deadline,
  state: string,
  isReached: (seen: SeenTopics) => boolean,
): Promise<void> {
  if (topics.length === 0) return
  for (let attempt = 0; ; attempt++) {
    const { answers } = await cluster.fanOut.everyBroker({
      what: 'requesting topics from all brokers',
      // A broker that is down does not delay this: it learns the state from the others when it
      // starts.
      deadline: new Deadline(
        Math.min(deadline.remainingMs, cluster.options.requestTimeoutMs),
        deadline.signal,
      ),
      ask: (recipient) => seenBy(recipient, topics),
    })
    if (answers.length > 0 && answers.every(({ result }) => isReached(result))) return
    const waitMs = backoffMs(attempt, cluster.options.backoff)
    if (!deadline.leaves(waitMs)) {
      const list = topics.map((topic) => `'${topic}'`).join(', ')
      throw new RequestTimeoutError(
        `the change was made, but after ${deadline.timeoutMs} ms not all brokers report that ${list} is ${state}`,
        {},
      )
    }
    await deadline.sleep(waitMs)
  }
}

async function seenBy(recipient: Recipient, topics: readonly string[]): Promise<SeenTopics> {
  const response = await recipient.request(metadata, (version) => metadataRequest(version, topics))
  const seen = new Map<string, SeenTopic>()
  for (const { name, topicId, errorCode, partitions } of response.topics) {
    if (name === null || !topics.includes(name)) continue
    if (errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION) continue
    const isLed = partitions.every(({ leaderId }) => leaderId >= 0)
    seen.set(name, { ledPartitions: isLed ? partitions.length : 0, topicId })
  }
  return seen
}
