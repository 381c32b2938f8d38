import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { describeCluster } from '../../../protocol/apis/describe-cluster.ts'
import { checkWait } from '../../../src/async/waiting.ts'
import { checkConsume, checkRead } from '../../../src/consumer/delivery/read-options.ts'
import { EmbeddedCluster, EmbeddedZooKeeper } from '../../../src/embedded/index.ts'
import { InvalidArgumentError, KafkaClient } from '../../../src/index.ts'
import { instrument } from '../../../src/opentelemetry/index.ts'
import { metricsText } from '../../../src/prometheus/index.ts'
import { failureOf } from '../../support/settled.ts'

const body = { includeClusterAuthorizedOperations: false }

let client: KafkaClient

beforeAll(() => {
  client = new KafkaClient({ hosts: '127.0.0.1:1' })
})
afterAll(() => client.close())

/** Each call, a wrong value for one of its options, and what the error says of it. */
const CALLS: readonly (readonly [string, (options: object) => unknown, object, string])[] = [
  [
    'topic.partitions',
    (options) => client.topic('t').partitions(options),
    { timeoutMs: '1s' },
    "call: option 'timeoutMs' must be a whole number from 1 to 2147483647, not '1s'",
  ],
  [
    'a wait',
    (options) => checkWait(options),
    { signal: true },
    "wait: option 'signal' must be an AbortSignal, not true",
  ],
  [
    'client.request',
    (options) => client.request(describeCluster, body, options),
    { to: 'leader' },
    "request: option 'to' must be 'any', 'controller'",
  ],
  [
    'topics.list',
    (options) => client.topics.list(options),
    { excludeInternalTopics: 1 },
    "topics.list: option 'excludeInternalTopics' must be true or false, not 1",
  ],
  [
    'admin.listGroups',
    (options) => client.admin.listGroups(options),
    { types: ['simple'] },
    "listGroups: option 'types' must be one of classic",
  ],
  [
    'admin.createTopics',
    (options) => client.admin.createTopics([], options),
    { timeoutMs: 0 },
    "createTopics: option 'timeoutMs' must be a whole number from 1 to 2147483647, not 0",
  ],
  [
    'cluster.coordinator',
    (options) => client.cluster.coordinator('billing', options),
    { kind: 'share' },
    "coordinator: option 'kind' must be one of group, transaction, not 'share'",
  ],
  [
    'topic.create',
    (options) => client.topic('t').create(options),
    { ifNotExists: 'yes' },
    "topic.create: option 'ifNotExists' must be true or false, not 'yes'",
  ],
  [
    'consume',
    (options) => checkConsume(options),
    { block: 0 },
    "consume: option 'block' must be true or false, not 0",
  ],
  [
    'topic.fetchOffsetLimits',
    (options) => client.topic('t').fetchOffsetLimits('latest', options),
    { maxOffsets: 0 },
    "fetchOffsetLimits: option 'maxOffsets' must be a whole number from 1 to 2147483647, not 0",
  ],
  [
    'client.metrics',
    (options) => client.metrics(options),
    { partitions: 1 },
    "metrics: option 'partitions' must be true or false, not 1",
  ],
  [
    'metricsText of samsa/prometheus',
    (options) => metricsText(client, options),
    { partitions: 1 },
    "metrics: option 'partitions' must be true or false, not 1",
  ],
  [
    'instrument of samsa/opentelemetry',
    (options) => instrument(client, options),
    { processParent: 'link' },
    "instrument: option 'processParent' must be one of message, none, not 'link'",
  ],
  [
    'EmbeddedCluster.start',
    (options) => EmbeddedCluster.start(options),
    { defaultPartitions: 0 },
    "EmbeddedCluster: option 'defaultPartitions' must be a whole number of at least 1, not 0",
  ],
  [
    'EmbeddedZooKeeper.start',
    (options) => EmbeddedZooKeeper.start(options),
    { servers: 10 },
    "EmbeddedZooKeeper: option 'servers' must be a whole number from 1 to 9, not 10",
  ],
  [
    'messages, batches and stream',
    (options) => checkRead(options),
    { signal: 5 },
    "reading: option 'signal' must be an AbortSignal, not 5",
  ],
]

describe.each(CALLS)('the options of %s', (_name, call, wrong, message) => {
  it('reject an unknown option by name', async () => {
    const failed = await failureOf(Promise.resolve().then(() => call({ timeOutMs: 1 })))
    expect(failed).toBeInstanceOf(InvalidArgumentError)
    expect(failed.message).toContain("has no option 'timeOutMs'")
  })

  it('reject a value of the wrong type by name', async () => {
    const failed = await failureOf(Promise.resolve().then(() => call(wrong)))
    expect(failed).toBeInstanceOf(InvalidArgumentError)
    expect(failed.message).toContain(message)
  })
})
