import * as apis from '../../../../protocol/apis/index.ts'
import { encodeBatch } from '../../../../protocol/records/encode-batch.ts'
import { OutgoingRecord } from '../../../../protocol/records/outgoing-record.ts'
import { ZERO_UUID } from '../../../../protocol/schema/fields.ts'
import { configsOf, coordinatorFound } from './config-requests.ts'
import { batch, create, fetched, listed, NOW, produce } from './requests.ts'
import { step, type Step } from './step.ts'

const corrupt = batch(['x'])
corrupt[corrupt.length - 1]! ^= 1

/** What a config can't be. */
const CONFIG_VALUES = [
  ['max.message.bytes', '-1'],
  ['segment.bytes', '100'],
  ['segment.bytes', ' +7 '],
  ['segment.bytes', '2147483648'],
  ['retention.ms', '-2'],
  ['retention.ms', '9223372036854775808'],
  ['compression.gzip.level', '0'],
  ['compression.lz4.level', '18'],
  ['min.cleanable.dirty.ratio', '1.1'],
  ['min.cleanable.dirty.ratio', 'x'],
  ['cleanup.policy', 'compact,x'],
  ['follower.replication.throttled.replicas', 'x,0:1'],
] as const

const described = (
  what: string,
  names: readonly string[],
  responsePartitionLimit: number,
  cursor: { readonly topicName: string; readonly partitionIndex: number } | null = null,
) =>
  step(`partitions of ${what}`, apis.describeTopicPartitions, 0, {
    topics: names.map((name) => ({ name })),
    responsePartitionLimit,
    cursor,
  })

/** Topics, records, configs: in this order. */
export const TOPIC_STEPS: readonly Step[] = [
  step('all topics', apis.metadata, 5, { topics: null }, (side, { clusterId }) => {
    side.names.set(clusterId, 'cluster')
  }),
  create('a topic', { name: 'a', numPartitions: 3 }),
  create('a compacted topic', {
    name: 'compacted',
    configs: [{ name: 'cleanup.policy', value: 'compact' }],
  }),
  create("a topic with the broker's time", {
    name: 'log-append',
    configs: [{ name: 'message.timestamp.type', value: 'LogAppendTime' }],
  }),
  create('a topic with small messages', {
    name: 'small',
    configs: [{ name: 'max.message.bytes', value: '200' }],
  }),
  create('a topic with its own compression', {
    name: 'gzipped',
    configs: [{ name: 'compression.type', value: 'gzip' }],
  }),
  create('replicas by hand', {
    name: 'by-hand',
    numPartitions: -1,
    replicationFactor: -1,
    assignments: [{ partitionIndex: 0, brokerIds: [1] }],
  }),
  create('replicas by hand that do not exist', {
    name: 'by-hand-2',
    numPartitions: -1,
    replicationFactor: -1,
    assignments: [{ partitionIndex: 0, brokerIds: [7] }],
  }),
  create('a topic that exists', { name: 'a' }),
  create('too many replicas', { name: 'b', replicationFactor: 3 }),
  create('no replicas', { name: 'b', replicationFactor: 0 }),
  create('no partitions', { name: 'b', numPartitions: 0 }),
  create('more partitions than the controller creates at once', {
    name: 'b',
    numPartitions: 10_001,
  }),
  create('as many partitions as there are numbers', { name: 'b', numPartitions: 2 ** 31 - 1 }),
  create('as many partitions as the controller has room for, but for the topic', {
    name: 'b',
    numPartitions: 10_000,
  }),
  step('too many partitions of several topics', apis.createTopics, 7, {
    topics: [
      { name: 'b', numPartitions: 6_000, replicationFactor: 1, assignments: [], configs: [] },
      { name: 'c', numPartitions: 6_000, replicationFactor: 1, assignments: [], configs: [] },
      { name: '', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] },
    ],
    timeoutMs: 10_000,
    validateOnly: false,
  }),
  create('a bad name', { name: 'b c' }),
  create('no name', { name: '' }),
  create('dots for a name', { name: '..' }),
  create('an unknown config', { name: 'b', configs: [{ name: 'nope', value: '1' }] }),
  create('a config that is no number', {
    name: 'b',
    configs: [{ name: 'retention.ms', value: 'x' }],
  }),
  create('a config that is not one of those', {
    name: 'b',
    configs: [{ name: 'message.timestamp.type', value: 'x' }],
  }),
  create('a config that is not true or false', {
    name: 'b',
    configs: [{ name: 'preallocate', value: 'x' }],
  }),
  ...CONFIG_VALUES.map(([name, value]) =>
    create(`${name}=${value}`, { name: 'b', configs: [{ name, value }] }),
  ),
  create('a config without a value', {
    name: 'b',
    configs: [{ name: 'retention.ms', value: null }],
  }),
  step('topics by name', apis.metadata, 13, {
    topics: [{ name: 'a' }, { name: 'nope' }, { name: 'b c' }],
    allowAutoTopicCreation: false,
    includeTopicAuthorizedOperations: true,
  }),
  step('topics by name', apis.metadata, 8, {
    topics: [{ name: 'a' }, { name: 'nope' }],
    allowAutoTopicCreation: false,
    includeClusterAuthorizedOperations: true,
  }),
  step('no topics', apis.metadata, 1, { topics: [] }),
  step('a topic', apis.metadata, 0, { topics: [{ name: 'a' }] }),
  step('a topic by its id', apis.metadata, 12, (side) => ({
    topics: [{ topicId: side.topicId('a'), name: null }],
    allowAutoTopicCreation: false,
  })),
  step('a topic by an unknown id', apis.metadata, 12, {
    topics: [{ topicId: 'AAAAAAAAAAAAAAAAAAAAAQ', name: null }],
    allowAutoTopicCreation: false,
  }),
  step('a topic to be created', apis.metadata, 12, {
    topics: [{ name: 'automatic' }],
    allowAutoTopicCreation: true,
  }),
  described('a topic', ['a'], 2000),
  described('topics there and not', ['small', 'nope', 'b c', 'a', 'a'], 2000),
  described('all topics, a few', [], 2),
  described('all topics, none', [], 0),
  described('topics from a cursor', ['small', 'a'], 3, { topicName: 'a', partitionIndex: 1 }),
  described('all topics from a cursor', [], 9, { topicName: 'b', partitionIndex: 1 }),
  described('topics without the cursor', ['small'], 3, { topicName: 'a', partitionIndex: 1 }),
  described('a cursor past the end', ['a'], 3, { topicName: 'a', partitionIndex: 9 }),
  described('a cursor before the start', ['a'], 3, { topicName: 'a', partitionIndex: -1 }),
  step('the cluster', apis.describeCluster, 2, {
    includeClusterAuthorizedOperations: true,
    includeFencedBrokers: false,
  }),

  produce('three records', 'a', 0, batch(['one', 'two', 'three'])),
  produce('more, by name', 'a', 0, batch(['four', 'five']), { version: 9 }),
  produce('in an old version', 'a', 0, batch(['six']), { version: 3 }),
  produce('compressed records', 'a', 0, batch(['seven', 'eight'], { compression: 'gzip' })),
  produce('to the leader alone', 'a', 1, batch(['x']), { acks: 1 }),
  produce('to too many', 'a', 0, batch(['x']), { acks: 2 }),
  produce('to an unknown partition', 'a', 9, batch(['x'])),
  produce('to an unknown topic', 'nope', 0, batch(['x']), { version: 12 }),
  produce('to an unknown id', 'nope', 0, batch(['x'])),
  produce('damaged records', 'a', 0, corrupt),
  produce('nothing', 'a', 0, Buffer.alloc(0)),
  produce('two batches at once', 'a', 0, Buffer.concat([batch(['x']), batch(['y'])])),
  produce('a control batch', 'a', 0, batch(['x'], { control: true })),
  produce('too much', 'small', 0, batch(['x'.repeat(300)])),
  produce("with the broker's time", 'log-append', 0, batch(['x'])),
  produce('to be compressed by the broker', 'gzipped', 0, batch(['x', 'y'])),
  produce(
    'without a key, to a compacted topic',
    'compacted',
    0,
    encodeBatch([new OutgoingRecord(null, 'x', NOW), new OutgoingRecord('k', 'x', NOW)]),
  ),
  produce(
    'from the future',
    'a',
    0,
    encodeBatch([new OutgoingRecord(null, 'x', NOW + 86_400_000_000)]),
  ),
  produce('zstd too early', 'a', 0, batch(['x'], { compression: 'zstd' }), { version: 6 }),

  fetched('from the start', 'a', [0, 1, 2]),
  fetched('by name', 'a', [0], { version: 12 }),
  fetched('committed only', 'a', [0], { version: 11, isolationLevel: 1 }),
  fetched('in an old version', 'a', [0], { version: 4 }),
  fetched('from the middle of a batch', 'a', [0], { offset: 1n }),
  fetched('at the end', 'a', [0], { offset: 8n }),
  fetched('past the end', 'a', [0], { offset: 9n }),
  fetched('before the start', 'a', [0], { offset: -5n }),
  fetched('little of each partition', 'a', [0, 1], { partitionMaxBytes: 100 }),
  fetched('a batch and a part', 'a', [0], { partitionMaxBytes: 150 }),
  fetched('very little', 'a', [0, 1], { maxBytes: 1 }),
  fetched('an unknown partition', 'a', [9]),
  fetched('an unknown topic', 'nope', [0], { version: 12 }),
  fetched('an unknown id', 'nope', [0]),
  fetched('with a leader epoch to come', 'a', [0], { leaderEpoch: 5 }),
  fetched('what the broker compressed', 'gzipped', [0]),
  fetched('a new session', 'a', [0, 1, 2], { epoch: 0 }),
  fetched('nothing new', '', [], { session: true, epoch: 1 }),
  fetched('another place', 'a', [1], { session: true, epoch: 2, offset: 1n }),
  fetched('after that', '', [], { session: true, epoch: 3 }),
  fetched('forgetting', 'a', [], { session: true, epoch: 4, forget: [0] }),
  fetched('a wrong epoch', '', [], { session: true, epoch: 9 }),
  fetched('the end of the session', 'a', [0], { session: true, epoch: -1 }),
  fetched('a session that ended', '', [], { session: true, epoch: 5 }),

  ...[-1n, -2n, -3n, -4n, -5n, -9n, 0n, BigInt(NOW + 1), BigInt(NOW + 99_999)].flatMap((at) =>
    [11, 7, 6, 1].map((version) => listed(`offsets at ${at}`, at, version)),
  ),
  step('a partition twice', apis.listOffsets, 11, {
    replicaId: -1,
    isolationLevel: 0,
    topics: [
      {
        name: 'a',
        partitions: [
          { partitionIndex: 0, timestamp: -1n },
          { partitionIndex: 0, timestamp: -2n },
        ],
      },
    ],
  }),

  step('a leader epoch', apis.offsetForLeaderEpoch, 4, {
    replicaId: -1,
    topics: [
      {
        topic: 'a',
        partitions: [
          { partition: 0, leaderEpoch: 0, currentLeaderEpoch: -1 },
          { partition: 1, leaderEpoch: 3, currentLeaderEpoch: -1 },
          { partition: 1, leaderEpoch: 0, currentLeaderEpoch: 3 },
        ],
      },
    ],
  }),
  step('records to delete', apis.deleteRecords, 2, {
    topics: [
      {
        name: 'a',
        partitions: [
          { partitionIndex: 0, offset: 4n },
          { partitionIndex: 1, offset: -1n },
          { partitionIndex: 2, offset: 99n },
          { partitionIndex: 9, offset: 0n },
        ],
      },
      { name: 'compacted', partitions: [{ partitionIndex: 0, offset: 0n }] },
    ],
    timeoutMs: 5000,
  }),
  fetched('what was deleted', 'a', [0]),
  fetched('what was not', 'a', [0], { offset: 4n }),
  listed('the start after that', -2n),

  step('more partitions', apis.createPartitions, 3, {
    topics: [{ name: 'a', count: 4, assignments: null }],
    timeoutMs: 5000,
    validateOnly: false,
  }),
  step('too many more partitions', apis.createPartitions, 3, {
    topics: [{ name: 'a', count: 2 ** 31 - 1, assignments: null }],
    timeoutMs: 5000,
    validateOnly: false,
  }),
  step('too many more partitions of several topics', apis.createPartitions, 3, {
    topics: [
      { name: 'a', count: 6_000, assignments: null },
      { name: 'compacted', count: 6_000, assignments: null },
      { name: 'nope', count: 6_000, assignments: null },
    ],
    timeoutMs: 5000,
    validateOnly: true,
  }),
  step('fewer partitions', apis.createPartitions, 3, {
    topics: [{ name: 'a', count: 2, assignments: null }],
    timeoutMs: 5000,
    validateOnly: false,
  }),
  step('partitions of an unknown topic', apis.createPartitions, 0, {
    topics: [{ name: 'nope', count: 2, assignments: null }],
    timeoutMs: 5000,
    validateOnly: false,
  }),
  step('some configs', apis.describeConfigs, 4, {
    resources: [
      {
        resourceType: 2,
        resourceName: 'compacted',
        configurationKeys: ['cleanup.policy'],
      },
      { resourceType: 2, resourceName: 'a', configurationKeys: ['max.message.bytes'] },
      { resourceType: 2, resourceName: 'nope', configurationKeys: null },
    ],
    includeSynonyms: true,
    includeDocumentation: false,
  }),
  step('a config to append to', apis.incrementalAlterConfigs, 1, {
    resources: [
      {
        resourceType: 2,
        resourceName: 'a',
        configs: [{ name: 'cleanup.policy', configOperation: 2, value: 'compact' }],
      },
    ],
    validateOnly: false,
  }),
  step('configs that cannot be', apis.incrementalAlterConfigs, 1, {
    resources: [
      {
        resourceType: 2,
        resourceName: 'a',
        configs: [{ name: 'retention.ms', configOperation: 2, value: '1' }],
      },
      {
        resourceType: 2,
        resourceName: 'nope',
        configs: [{ name: 'retention.ms', configOperation: 0, value: '1' }],
      },
    ],
    validateOnly: false,
  }),
  step('all configs again', apis.alterConfigs, 2, {
    resources: [
      {
        resourceType: 2,
        resourceName: 'a',
        configs: [{ name: 'retention.ms', value: '1000000' }],
      },
    ],
    validateOnly: false,
  }),
  step('the configs then', apis.describeConfigs, 1, {
    resources: [
      { resourceType: 2, resourceName: 'a', configurationKeys: ['cleanup.policy'] },
      { resourceType: 2, resourceName: 'a', configurationKeys: ['retention.ms'] },
    ],
    includeSynonyms: true,
  }),
  configsOf('all of a topic, by no names, with documentation', { type: 2, name: 'a' }, []),
  configsOf('all of a topic, by null', { type: 2, name: 'a' }, null, { documentation: false }),
  configsOf('all of a broker, by no names, with documentation', { type: 4, name: '1' }, []),
  configsOf('all of a broker, by null', { type: 4, name: '1' }, null, { documentation: false }),
  configsOf('some of a broker, without synonyms', { type: 4, name: '1' }, ['num.partitions'], {
    synonyms: false,
  }),
  configsOf('all brokers', { type: 4, name: '' }, []),
  configsOf('another broker', { type: 4, name: '9' }, []),
  configsOf('a broker by a name', { type: 4, name: 'x' }, []),
  coordinatorFound('of a transaction', 'tx', 1, 6),
  coordinatorFound('of a transaction', 'tx', 1, 2),
  coordinatorFound('of shares with a key that is none', 'g', 2, 6),
  coordinatorFound('of what does not exist', 'g', 3, 6),
  step('topics to delete', apis.deleteTopics, 5, {
    topicNames: ['small'],
    timeoutMs: 5000,
  }),
  step('topics that do not exist', apis.deleteTopics, 6, {
    topics: [
      { name: 'nope', topicId: ZERO_UUID },
      { name: null, topicId: 'AAAAAAAAAAAAAAAAAAAAAQ' },
    ],
    timeoutMs: 5000,
  }),
]
