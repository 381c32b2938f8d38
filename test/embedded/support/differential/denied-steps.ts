/** Requests of a client that may not have the right to them: all leave the clusters as they are. */
import * as apis from '../../../../protocol/apis/index.ts'
import { batch } from './requests.ts'
import { step, type Step } from './step.ts'

const TOPICS = ['a', 'b', 'missing'] as const
const ANY_ACL = {
  resourceTypeFilter: 1,
  resourceNameFilter: null,
  patternTypeFilter: 1,
  principalFilter: null,
  hostFilter: null,
  operation: 1,
  permissionType: 1,
}

export const DENIALS: readonly Step[] = [
  step('all topics', apis.metadata, 12, { topics: null, allowAutoTopicCreation: false }),
  step('topics by name', apis.metadata, 12, {
    topics: TOPICS.map((name) => ({ name })),
    allowAutoTopicCreation: false,
    includeTopicAuthorizedOperations: true,
  }),
  step('the cluster', apis.metadata, 10, {
    topics: [],
    allowAutoTopicCreation: false,
    includeClusterAuthorizedOperations: true,
  }),
  step('a topic by id', apis.metadata, 13, ({ topicIds }) => ({
    topics: ['a', 'b'].map((name) => ({ name: null, topicId: topicIds.get(name) ?? '' })),
    allowAutoTopicCreation: false,
  })),
  step('the cluster', apis.describeCluster, 2, { includeClusterAuthorizedOperations: true }),
  step('partitions', apis.describeTopicPartitions, 0, {
    topics: TOPICS.map((name) => ({ name })),
    cursor: null,
  }),
  step('all partitions', apis.describeTopicPartitions, 0, { topics: [], cursor: null }),
  step('records that are refused', apis.produce, 9, {
    acks: -1,
    timeoutMs: 5_000,
    // None of the right size: a client with the right to write is refused as well.
    topicData: ['b', 'missing'].map((name) => ({
      name,
      partitionData: [{ index: 0, records: batch(['x']) }],
    })),
  }),
  step('records', apis.fetch, 12, {
    maxWaitMs: 0,
    minBytes: 0,
    maxBytes: 1,
    topics: ['b', 'missing'].map((topic) => ({
      topic,
      partitions: [{ partition: 0, fetchOffset: 0n, partitionMaxBytes: 1 }],
    })),
    forgottenTopicsData: [],
  }),
  step('offsets', apis.listOffsets, 9, {
    replicaId: -1,
    topics: TOPICS.map((name) => ({ name, partitions: [{ partitionIndex: 0, timestamp: -2n }] })),
  }),
  step('an epoch', apis.offsetForLeaderEpoch, 4, {
    replicaId: -1,
    topics: TOPICS.map((topic) => ({ topic, partitions: [{ partition: 0, leaderEpoch: 0 }] })),
  }),
  step('records to delete', apis.deleteRecords, 2, {
    topics: TOPICS.map((name) => ({ name, partitions: [{ partitionIndex: 0, offset: 0n }] })),
    timeoutMs: 5_000,
  }),
  step('a coordinator of a group', apis.findCoordinator, 6, { keyType: 0, coordinatorKeys: ['g'] }),
  step('a coordinator of a transaction', apis.findCoordinator, 6, {
    keyType: 1,
    coordinatorKeys: ['tx', 'other'],
  }),
  step('a member that does not exist', apis.heartbeat, 4, {
    groupId: 'g',
    generationId: 1,
    memberId: 'm',
  }),
  step('a member that does not exist', apis.syncGroup, 5, {
    groupId: 'g',
    generationId: 1,
    memberId: 'm',
    protocolType: 'consumer',
    protocolName: 'range',
    assignments: [],
  }),
  step('a member that does not exist', apis.leaveGroup, 5, {
    groupId: 'g',
    members: [{ memberId: 'm' }],
  }),
  step('a member that does not exist', apis.joinGroup, 9, {
    groupId: 'g',
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 10_000,
    memberId: 'm',
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: Buffer.alloc(0) }],
  }),
  step('offsets to commit in a generation that does not exist', apis.offsetCommit, 9, {
    groupId: 'nobody',
    generationIdOrMemberEpoch: 7,
    memberId: 'm',
    topics: TOPICS.map((name) => ({
      name,
      partitions: [{ partitionIndex: 0, committedOffset: 0n, committedMetadata: '' }],
    })),
  }),
  step('committed offsets', apis.offsetFetch, 9, {
    groups: [
      {
        groupId: 'g',
        topics: TOPICS.map((name) => ({ name, partitionIndexes: [0] })),
      },
    ],
    requireStable: false,
  }),
  step('all committed offsets', apis.offsetFetch, 9, {
    groups: [{ groupId: 'g', topics: null }],
    requireStable: false,
  }),
  step('a group', apis.describeGroups, 6, { groups: ['g'], includeAuthorizedOperations: true }),
  step('all groups', apis.listGroups, 5, {}),
  step('a group to delete', apis.deleteGroups, 2, { groupsNames: ['nobody'] }),
  step('offsets to delete', apis.offsetDelete, 0, {
    groupId: 'nobody',
    topics: [{ name: 'b', partitions: [{ partitionIndex: 0 }] }],
  }),
  step('topics to check', apis.createTopics, 7, {
    topics: ['a', 'new', 'a-new'].map((name) => ({
      name,
      numPartitions: 1,
      replicationFactor: 1,
      assignments: [],
      configs: [],
    })),
    timeoutMs: 5_000,
    validateOnly: true,
  }),
  step('topics to delete', apis.deleteTopics, 6, {
    topics: ['b', 'missing'].map((name) => ({ name })),
    timeoutMs: 5_000,
  }),
  step('a topic to delete by id', apis.deleteTopics, 6, ({ topicIds }) => ({
    topics: [{ name: null, topicId: topicIds.get('b') ?? '' }],
    timeoutMs: 5_000,
  })),
  step('partitions to check', apis.createPartitions, 3, {
    topics: TOPICS.map((name) => ({ name, count: 3, assignments: null })),
    timeoutMs: 5_000,
    validateOnly: true,
  }),
  step('configs', apis.describeConfigs, 4, {
    resources: [
      ...TOPICS.map((resourceName) => ({
        resourceType: 2,
        resourceName,
        configurationKeys: ['retention.ms'],
      })),
      { resourceType: 4, resourceName: '', configurationKeys: ['retention.ms'] },
    ],
  }),
  step('configs to check', apis.incrementalAlterConfigs, 1, {
    resources: TOPICS.map((resourceName) => ({
      resourceType: 2,
      resourceName,
      configs: [{ name: 'retention.ms', configOperation: 0, value: '1' }],
    })),
    validateOnly: true,
  }),
  step('a transaction that does not exist', apis.endTxn, 3, {
    transactionalId: 'tx',
    producerId: 99n,
    producerEpoch: 0,
    committed: false,
  }),
  step('partitions of a transaction that does not exist', apis.addPartitionsToTxn, 3, {
    v3AndBelowTransactionalId: 'tx',
    v3AndBelowProducerId: 99n,
    v3AndBelowProducerEpoch: 0,
    v3AndBelowTopics: [{ name: 'a', partitions: [0] }],
  }),
  step('a group of a transaction that does not exist', apis.addOffsetsToTxn, 4, {
    transactionalId: 'tx',
    producerId: 99n,
    producerEpoch: 0,
    groupId: 'g',
  }),
  step('transactions', apis.describeTransactions, 0, { transactionalIds: ['tx', 'other'] }),
  step('all transactions', apis.listTransactions, 2, {
    stateFilters: [],
    producerIdFilters: [],
  }),
  step('ACLs', apis.describeAcls, 3, ANY_ACL),
  step('an ACL to create', apis.createAcls, 3, {
    creations: [
      {
        resourceType: 2,
        resourceName: 'a',
        resourcePatternType: 3,
        principal: 'User:alice',
        host: '*',
        operation: 2,
        permissionType: 3,
      },
    ],
  }),
  step('ACLs to delete', apis.deleteAcls, 3, {
    filters: [{ ...ANY_ACL, resourceNameFilter: 'nothing' }],
  }),
  step('quotas', apis.describeClientQuotas, 1, { components: [], strict: false }),
  step('quotas to check', apis.alterClientQuotas, 1, {
    entries: [
      {
        entity: [{ entityType: 'user', entityName: 'x' }],
        ops: [{ key: 'producer_byte_rate', value: 1, remove: false }],
      },
    ],
    validateOnly: true,
  }),
  // Kafka 4.4.0 never answers DescribeUserScramCredentials of a client without the right to it.
  step('a user to delete', apis.alterUserScramCredentials, 0, {
    deletions: [{ name: 'nobody', mechanism: 1 }],
    upsertions: [],
  }),
]
