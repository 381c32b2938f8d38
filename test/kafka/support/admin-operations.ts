import type {
  Admin,
  AclOperation,
  ConfigResource,
  GroupDescription,
  OffsetPosition,
  PartitionDescription,
  TopicDescription,
} from '../../../src/index.ts'
import { isAtLeast } from '../../support/real-brokers.ts'

export interface Place {
  readonly version: string
  /** Where the brokers' log directories are. */
  readonly folder: string
  readonly topicIds: Map<string, string>
}

/** An operation of Java's admin client, and the same with samsa, in the shape that the Java program prints. */
export interface Operation {
  readonly java: string
  /** What the case is about, where an operation has several. */
  readonly name?: string
  /** The first release with it, as errors of older ones name it. */
  readonly since: string
  /** What older brokers are said to answer where they are not refused: they have no groups of that kind. */
  readonly older?: string
  /** What is done to the cluster before both are asked. */
  readonly before?: (admin: Admin, place: Place) => Promise<void>
  /** `own` begins the names of what this client has for itself. */
  readonly samsa: (admin: Admin, own: string, place: Place) => Promise<unknown>
  /** What the Java program gets. Default: `own`. */
  readonly words?: (own: string, place: Place) => readonly (string | number)[]
  /** What holds once the change of both has come to all brokers. */
  readonly until?: (admin: Admin) => Promise<boolean>
}

const NO_UUID = 'A'.repeat(22)
const at = (topic: string, partition: number) => ({ topic, partition })
const nameOf = ({ topic, partition }: { topic: string; partition: number }) =>
  `${topic}-${partition}`
const byKey = <T>(entries: readonly (readonly [string, T])[]) => Object.fromEntries(entries)
const sorted = (words: readonly string[] = []) => [...words].sort()
const numbers = (ids: readonly number[]) => [...ids].sort((a, b) => a - b)
const operations = (found: readonly AclOperation[] | undefined) => sorted(found)

async function done(change: Promise<unknown>): Promise<'done'> {
  await change
  return 'done'
}

/** The result of one item, or its error. */
async function only<T extends { readonly error?: Error }>(
  found: Promise<readonly T[]>,
): Promise<T> {
  const [one] = await found
  if (one === undefined) throw new Error('no result')
  if (one.error !== undefined) throw one.error
  return one
}

/** Whether as many answers, of any brokers, as make it unlikely that one of the brokers was not asked have so many elements. */
async function everywhere(ask: () => Promise<readonly unknown[]>, count: number): Promise<boolean> {
  const answers = await Promise.all(Array.from({ length: 30 }, ask))
  return answers.every(({ length }) => length === count)
}

function partitionOf(found: PartitionDescription) {
  return {
    partition: found.partition,
    leader: found.leader ?? -1,
    replicas: found.replicas,
    isr: numbers(found.isr),
    elr: found.eligibleLeaderReplicas ?? 'none',
    lastKnownElr: found.lastKnownEligibleLeaderReplicas ?? 'none',
  }
}

function topicOf({ topic, topicId = NO_UUID, isInternal, partitions }: TopicDescription) {
  return [topic, topicId, isInternal, partitions.map(partitionOf)]
}

function membersOf({ members }: GroupDescription) {
  return byKey(
    members.map(({ memberId, clientId, clientHost, instanceId = 'none', assignment }) => [
      memberId,
      [clientId, clientHost, instanceId, sorted(assignment.map(nameOf))],
    ]),
  )
}

async function configsOf(admin: Admin, resource: ConfigResource) {
  const { configs } = await only(admin.describeConfigs([resource], { includeSynonyms: true }))
  return byKey(
    configs.map(
      ({ name, value, isDefault, isReadOnly, isSensitive, type = 'unknown', synonyms }) => [
        name,
        [
          value,
          isDefault,
          isReadOnly,
          isSensitive,
          type,
          (synonyms ?? []).map((one) => `${one.name}=${one.value}`),
        ],
      ],
    ),
  )
}

async function offsetsOf(admin: Admin, group: string) {
  const { offsets } = await only(admin.listGroupOffsets([group]))
  return byKey(
    offsets.map(({ offset, metadata = '', leaderEpoch = -1, ...one }) => [
      nameOf(one),
      [offset, metadata, leaderEpoch],
    ]),
  )
}

const committed = (topic: string) => [
  { ...at(topic, 0), offset: 2, metadata: 'noted' },
  { ...at(topic, 2), offset: 1 },
]

const listOffsets = (position: OffsetPosition & string, since: string): Operation => ({
  java: 'listOffsets',
  name: `listOffsets (${position})`,
  since,
  samsa: async (admin, own) => {
    const found = await admin.listOffsets(
      [0, 1, 2].map((partition) => at(own, partition)),
      position,
    )
    const failed = found.find(({ error }) => error !== undefined)
    if (failed?.error !== undefined) throw failed.error
    return byKey(
      found.map(({ offset = -1, timestamp = -1, leaderEpoch = -1, ...one }) => [
        nameOf(one),
        // The records of the two topics were not written at the same time.
        [offset, position === 'maxTimestamp' ? 0 : timestamp, leaderEpoch],
      ]),
    )
  },
  words: (own) => [own, position],
})

const describeLive: Omit<Operation, 'java' | 'samsa'> = {
  since: '0.9',
  words: () => ['samsa-live'],
}

/** A group of these that is not there, or is of another kind. */
const describeOther = (java: string, type: 'share' | 'streams'): Operation => ({
  java,
  name: `${java} (none)`,
  since: '4.1',
  older: 'GROUP_ID_NOT_FOUND',
  samsa: async (admin, own) => only(admin.describeGroups([`${own}-${type}-none`])),
  words: (own) => [`${own}-${type}-none`],
})

const aclOf = (own: string) =>
  ({
    resourceType: 'topic',
    resourceName: own,
    patternType: 'literal',
    principal: `User:${own}`,
    host: '*',
    operation: 'read',
    permission: 'allow',
  }) as const

type Acl = Awaited<ReturnType<Admin['describeAcls']>>[number]

function aclsOf(acls: readonly Acl[]) {
  return sorted(
    acls.map((one) =>
      [
        one.resourceType,
        one.resourceName,
        one.patternType,
        one.principal,
        one.host,
        one.operation,
        one.permission,
      ].join(' '),
    ),
  )
}

export const OPERATIONS: readonly Operation[] = [
  {
    java: 'describeCluster',
    since: '0.10.1',
    samsa: async (admin, _, { version }) => {
      const includeAuthorizedOperations = isAtLeast(version, '2.3')
      const found = await admin.describeCluster({ includeAuthorizedOperations })
      return {
        clusterId: found.clusterId,
        nodes: byKey(
          found.brokers.map(({ broker, host, port, rack = null }) => [
            String(broker),
            `${host}:${port}:${rack}`,
          ]),
        ),
        operations: operations(found.authorizedOperations),
      }
    },
    words: (_, { version }) => [String(isAtLeast(version, '2.3'))],
  },
  {
    java: 'describeFeatures',
    since: '0.10',
    samsa: async (admin) =>
      byKey(
        (await admin.describeFeatures()).map((one) => [
          one.feature,
          [one.minVersion, one.maxVersion, one.finalizedVersion ?? -1],
        ]),
      ),
  },
  {
    java: 'updateFeatures',
    since: '2.7',
    samsa: (admin) =>
      done(
        admin.updateFeatures([{ feature: 'no.such.version', version: 1 }], { validateOnly: true }),
      ),
  },
  {
    java: 'describeMetadataQuorum',
    since: '3.3',
    samsa: async (admin) => {
      const { leader, leaderEpoch, voters, observers } = await admin.describeMetadataQuorum()
      const idsOf = (replicas: typeof voters) =>
        byKey(replicas.map(({ replica, directoryId = NO_UUID }) => [String(replica), directoryId]))
      return { leader, leaderEpoch, voters: idsOf(voters), observers: idsOf(observers) }
    },
  },
  {
    java: 'unregisterBroker',
    name: 'unregisterBroker (none)',
    since: '3.0',
    samsa: (admin) => done(admin.unregisterBroker(99)),
    words: () => [99],
  },
  {
    java: 'unregisterController',
    name: 'unregisterController (none)',
    since: '4.4',
    samsa: (admin) => done(admin.unregisterController(99)),
    words: () => [99],
  },
  {
    java: 'addRaftVoter',
    name: 'addRaftVoter (the quorum is a fixed one)',
    since: '3.9',
    samsa: (admin) =>
      done(
        admin.addRaftVoter({
          voter: 77,
          directoryId: 'AAAAAAAAAAAAAAAAAAAAAQ',
          listeners: [{ name: 'CONTROLLER', host: '127.0.0.1', port: 14_999 }],
        }),
      ),
    words: () => [77, 'AAAAAAAAAAAAAAAAAAAAAQ', 14_999],
  },
  {
    java: 'removeRaftVoter',
    name: 'removeRaftVoter (the quorum is a fixed one)',
    since: '3.9',
    samsa: (admin) =>
      done(admin.removeRaftVoter({ voter: 77, directoryId: 'AAAAAAAAAAAAAAAAAAAAAQ' })),
    words: () => [77, 'AAAAAAAAAAAAAAAAAAAAAQ'],
  },
  {
    java: 'createTopics',
    since: '0.10.1',
    samsa: async (admin, own) => {
      const topic = {
        topic: `${own}-made`,
        partitions: 2,
        replicationFactor: 2,
        configs: { 'retention.ms': '123456' },
      }
      await admin.createTopics([topic], { validateOnly: true })
      await admin.createTopics([topic])
      const [again] = await admin.createTopics([topic], { settle: true })
      return again?.error?.code
    },
    until: async (admin) => {
      await admin.waitUntilVisible(['samsa-made', 'java-made'])
      return true
    },
  },
  {
    java: 'listTopics',
    since: '0.8.2',
    samsa: async (admin) =>
      (await admin.listTopics({ includeInternal: true })).map(({ topic }) => topic),
  },
  {
    java: 'describeTopics',
    since: '0.8.2',
    samsa: async (admin) =>
      (await admin.describeTopics(['samsa', 'none', 'java'])).map((topic) =>
        topic.error === undefined ? topicOf(topic) : topic.error.code,
      ),
    words: () => ['samsa', 'none', 'java'],
  },
  {
    java: 'describeTopicsById',
    since: '3.1',
    before: async (admin, { topicIds }) => {
      for (const { topic, topicId } of await admin.listTopics()) {
        if (topicId !== undefined) topicIds.set(topic, topicId)
      }
    },
    samsa: async (admin, _, { topicIds }) => {
      const one = await only(admin.describeTopicsById([topicIds.get('samsa-made') ?? NO_UUID]))
      return topicOf({ topic: '', ...one })
    },
    words: (_, { topicIds }) => [topicIds.get('samsa-made') ?? NO_UUID],
  },
  {
    java: 'createPartitions',
    since: '1.0',
    samsa: (admin, own) => done(admin.createPartitions([{ topic: `${own}-made`, count: 4 }])),
  },
  {
    java: 'deleteTopics',
    since: '0.10.1',
    samsa: (admin, own) => done(admin.deleteTopics([`${own}-made`])),
  },
  {
    java: 'deleteTopicsById',
    name: 'deleteTopicsById (none)',
    since: '2.8',
    samsa: (admin) => done(admin.deleteTopicsById(['AAAAAAAAAAAAAAAAAAAAAQ'])),
    words: () => ['AAAAAAAAAAAAAAAAAAAAAQ'],
  },
  listOffsets('earliest', '0.8.2'),
  listOffsets('latest', '0.8.2'),
  listOffsets('maxTimestamp', '3.0'),
  listOffsets('earliestLocal', '3.4'),
  listOffsets('latestTiered', '3.9'),
  listOffsets('earliestPendingUpload', '4.2'),
  {
    java: 'deleteRecords',
    since: '0.11',
    samsa: async (admin, own) =>
      (await only(admin.deleteRecords([{ ...at(own, 1), beforeOffset: 2 }]))).lowWatermark,
  },
  {
    java: 'describeConfigs',
    name: 'describeConfigs (broker)',
    since: '0.11',
    samsa: (admin) => configsOf(admin, { type: 'broker', name: '1' }),
    words: () => ['BROKER', '1'],
  },
  {
    java: 'incrementalAlterConfigs',
    since: '2.3',
    samsa: (admin, own) =>
      done(
        admin.incrementalAlterConfigs([
          {
            type: 'topic',
            name: own,
            set: { 'retention.ms': '777777' },
            append: { 'cleanup.policy': 'compact' },
          },
        ]),
      ),
    until: async (admin) => {
      const found = await Promise.all(
        ['samsa', 'java'].map((name) => admin.describeConfigs([{ type: 'topic', name }])),
      )
      return found
        .flat()
        .every(({ configs }) =>
          configs.some(({ name, value }) => name === 'retention.ms' && value === '777777'),
        )
    },
  },
  {
    java: 'describeConfigs',
    name: 'describeConfigs (topic)',
    since: '0.11',
    samsa: (admin) => configsOf(admin, { type: 'topic', name: 'samsa' }),
    words: () => ['TOPIC', 'samsa'],
  },
  {
    java: 'listConfigResources',
    since: '4.1',
    samsa: async (admin) =>
      sorted((await admin.listConfigResources()).map(({ type, name }) => `${type}:${name}`)),
  },
  {
    java: 'listClientMetricsResources',
    since: '3.7',
    samsa: async (admin) =>
      (await admin.listConfigResources(['clientMetrics'])).map(({ name }) => name),
  },
  {
    java: 'describeConsumerGroups',
    ...describeLive,
    samsa: async (admin) => {
      const found = await only(admin.describeGroups(['samsa-live']))
      return [found.state, found.assignor, membersOf(found)]
    },
  },
  {
    java: 'describeClassicGroups',
    ...describeLive,
    samsa: async (admin, _, { version }) => {
      const includeAuthorizedOperations = isAtLeast(version, '2.3')
      const found = await only(
        admin.describeGroups(['samsa-live'], { includeAuthorizedOperations }),
      )
      const { state, protocolType, assignor, authorizedOperations } = found
      return [state, protocolType, assignor, membersOf(found), operations(authorizedOperations)]
    },
  },
  describeOther('describeShareGroups', 'share'),
  describeOther('describeStreamsGroups', 'streams'),
  {
    java: 'alterConsumerGroupOffsets',
    since: '0.9',
    samsa: (admin, own) => done(admin.alterGroupOffsets(own, committed(own))),
  },
  {
    java: 'alterConsumerGroupOffsets',
    name: 'alterConsumerGroupOffsets (live members)',
    since: '0.9',
    samsa: (admin, own) => done(admin.alterGroupOffsets(`${own}-live`, committed(own))),
    words: (own) => [`${own}-live`, own],
  },
  {
    java: 'listConsumerGroupOffsets',
    since: '0.10.2',
    samsa: (admin, own) => offsetsOf(admin, own),
  },
  {
    java: 'listGroups',
    since: '0.9',
    samsa: async (admin) =>
      byKey(
        (await admin.listGroups()).groups.map(
          ({ group, protocolType, type = 'none', state = 'none' }) => [
            group,
            [protocolType, type, state],
          ],
        ),
      ),
  },
  {
    java: 'listConsumerGroups',
    since: '0.9',
    samsa: async (admin) =>
      (await admin.listGroups({ protocolTypes: ['consumer', ''] })).groups.map(
        ({ group }) => group,
      ),
  },
  {
    java: 'removeMembersFromConsumerGroup',
    name: 'removeMembersFromConsumerGroup (none)',
    since: '2.4',
    samsa: (admin, own) => done(admin.removeMembers(`${own}-live`, { instanceIds: ['nobody'] })),
    words: (own) => [`${own}-live`],
  },
  {
    java: 'deleteConsumerGroupOffsets',
    since: '2.4',
    samsa: (admin, own) => done(admin.deleteGroupOffsets(own, [at(own, 0)])),
  },
  {
    java: 'deleteConsumerGroups',
    name: 'deleteConsumerGroups (live members)',
    since: '1.1',
    samsa: (admin, own) => done(admin.deleteGroups([`${own}-live`])),
    words: (own) => [`${own}-live`],
  },
  {
    java: 'deleteConsumerGroups',
    since: '1.1',
    samsa: (admin, own) => done(admin.deleteGroups([own])),
  },
  {
    java: 'alterStreamsGroupOffsets',
    since: '0.9',
    samsa: (admin, own) => done(admin.alterGroupOffsets(own, committed(own))),
  },
  {
    java: 'listStreamsGroupOffsets',
    since: '0.10.2',
    samsa: (admin, own) => offsetsOf(admin, own),
  },
  {
    java: 'deleteStreamsGroupOffsets',
    since: '2.4',
    samsa: (admin, own) => done(admin.deleteGroupOffsets(own, [at(own, 0)])),
  },
  {
    java: 'deleteStreamsGroups',
    since: '1.1',
    samsa: (admin, own) => done(admin.deleteGroups([own])),
  },
  {
    java: 'alterShareGroupOffsets',
    since: '4.1',
    samsa: (admin, own) =>
      done(
        admin.alterShareGroupOffsets(own, [
          { ...at(own, 0), startOffset: 1 },
          { ...at(own, 2), startOffset: 2 },
        ]),
      ),
  },
  {
    java: 'listShareGroupOffsets',
    since: '4.1',
    samsa: async (admin, own) => {
      const { offsets } = await only(admin.listShareGroupOffsets([own]))
      return byKey(
        offsets.map(({ startOffset, leaderEpoch = -1, lag = -1, ...one }) => [
          nameOf(one),
          [startOffset, leaderEpoch, lag],
        ]),
      )
    },
  },
  {
    java: 'describeShareGroups',
    since: '4.1',
    older: 'GROUP_ID_NOT_FOUND',
    samsa: async (admin, own) => {
      const found = await only(admin.describeGroups([own], { includeAuthorizedOperations: true }))
      const { state, groupEpoch, assignmentEpoch, authorizedOperations } = found
      return [
        state,
        groupEpoch,
        assignmentEpoch,
        membersOf(found),
        operations(authorizedOperations),
      ]
    },
  },
  {
    java: 'deleteShareGroupOffsets',
    since: '4.1',
    samsa: (admin, own) => done(admin.deleteShareGroupOffsets(own, [own])),
  },
  {
    java: 'deleteShareGroups',
    since: '4.1',
    older: 'GROUP_ID_NOT_FOUND',
    samsa: async (admin, own) => {
      const [deleted] = await admin.deleteGroups([own], { settle: true })
      if (deleted?.error !== undefined) throw deleted.error
      return 'done'
    },
  },
  {
    java: 'fenceProducers',
    since: '0.11',
    samsa: async (admin, own) => ({
      epoch: (await only(admin.fenceProducers([own]))).producerEpoch,
    }),
  },
  {
    java: 'describeProducers',
    since: '2.8',
    samsa: async (admin) => {
      const found = await admin.describeProducers(
        [0, 1, 2].map((partition) => at('samsa', partition)),
      )
      const failed = found.find(({ error }) => error !== undefined)
      if (failed?.error !== undefined) throw failed.error
      return byKey(
        found.map(({ partition, producers }) => [
          String(partition),
          (producers ?? []).map((one) => [
            one.producerId,
            one.producerEpoch,
            one.lastSequence ?? -1,
            one.lastTimestamp,
            one.coordinatorEpoch ?? -1,
            one.currentTransactionStartOffset ?? -1,
          ]),
        ]),
      )
    },
    words: () => ['samsa'],
  },
  {
    java: 'describeTransactions',
    since: '3.0',
    samsa: async (admin) => {
      const one = await only(admin.describeTransactions(['samsa']))
      return [
        one.state,
        one.producerId,
        one.producerEpoch,
        one.transactionTimeoutMs,
        one.startTimestamp ?? -1,
        sorted(one.partitions.map(nameOf)),
      ]
    },
    words: () => ['samsa'],
  },
  {
    java: 'listTransactions',
    since: '3.0',
    samsa: async (admin) =>
      byKey(
        (await admin.listTransactions()).transactions.map((one) => [
          one.transactionalId,
          [one.producerId, one.state],
        ]),
      ),
  },
  {
    java: 'abortTransaction',
    name: 'abortTransaction (of an older coordinator)',
    since: '0.11',
    samsa: (admin, own) =>
      done(
        admin.abortTransaction({
          ...at(own, 0),
          producerId: 123_456,
          producerEpoch: 0,
          coordinatorEpoch: 0,
        }),
      ),
    words: (own) => [own, 123_456, 0, 0],
  },
  {
    java: 'forceTerminateTransaction',
    since: '0.11',
    samsa: (admin, own) => done(admin.forceTerminateTransaction(own)),
  },
  {
    java: 'alterPartitionReassignments',
    since: '2.4',
    samsa: (admin, own) =>
      done(admin.alterPartitionReassignments([{ ...at(own, 0), replicas: [1, 3] }])),
    words: (own) => [own, '1,3'],
    until: async (admin) => (await admin.listPartitionReassignments()).length === 0,
  },
  {
    java: 'alterPartitionReassignments',
    name: 'alterPartitionReassignments (no such broker)',
    since: '2.4',
    samsa: (admin, own) =>
      done(admin.alterPartitionReassignments([{ ...at(own, 0), replicas: [99] }])),
    words: (own) => [own, '99'],
  },
  {
    java: 'listPartitionReassignments',
    since: '2.4',
    samsa: async (admin) =>
      byKey(
        (await admin.listPartitionReassignments()).map(
          ({ replicas, addingReplicas, removingReplicas, ...one }) => [
            nameOf(one),
            [replicas, addingReplicas, removingReplicas],
          ],
        ),
      ),
  },
  {
    java: 'electLeaders',
    since: '2.2',
    samsa: async (admin, own) => {
      const found = await admin.electLeaders('preferred', [at(own, 0), at(own, 77)], {
        settle: true,
      })
      const failed = found.find(({ error }) => error?.code === 'UNSUPPORTED_VERSION')
      if (failed?.error !== undefined) throw failed.error
      return byKey(
        found.map(({ error, isElected, ...one }) => [
          nameOf(one),
          // Java has the error of a success.
          error?.code ?? (isElected ? 'elected' : 'ELECTION_NOT_NEEDED'),
        ]),
      )
    },
  },
  {
    java: 'describeLogDirs',
    since: '1.0',
    samsa: async (admin) =>
      byKey(
        (await admin.describeLogDirs()).flatMap(({ broker, logDirs }) =>
          logDirs.map(({ logDir, totalBytes = -1, replicas }) => [
            `${broker}${logDir}`,
            [
              totalBytes,
              byKey(
                replicas
                  .filter(({ topic }) => !topic.startsWith('__'))
                  .map((one) => [nameOf(one), [one.sizeBytes, one.offsetLag, one.isFuture]]),
              ),
            ],
          ]),
        ),
      ),
  },
  {
    java: 'alterReplicaLogDirs',
    since: '1.0',
    samsa: (admin, own, { folder }) =>
      done(admin.alterReplicaLogDirs([{ ...at(own, 0), broker: 1, logDir: `${folder}/1-b` }])),
    words: (own, { folder }) => [own, 1, `${folder}/1-b`],
    until: async (admin) => {
      const found = await admin.describeReplicaLogDirs(
        ['samsa', 'java'].map((topic) => ({ ...at(topic, 0), broker: 1 })),
      )
      return found.every(
        (one) => one.logDir?.endsWith('1-b') === true && one.futureLogDir === undefined,
      )
    },
  },
  {
    java: 'describeReplicaLogDirs',
    since: '1.0',
    samsa: async (admin, own) => {
      const found = await only(admin.describeReplicaLogDirs([{ ...at(own, 0), broker: 1 }]))
      return [found.logDir ?? null, found.offsetLag ?? -1, found.futureLogDir ?? null]
    },
    words: (own) => [own, 1],
  },
  {
    java: 'createAcls',
    since: '0.11',
    samsa: (admin, own) => done(admin.createAcls([aclOf(own)])),
    until: (admin) => everywhere(() => admin.describeAcls(), 2),
  },
  {
    java: 'describeAcls',
    since: '0.11',
    samsa: async (admin) => aclsOf(await admin.describeAcls()),
  },
  {
    java: 'deleteAcls',
    since: '0.11',
    samsa: async (admin, own) => aclsOf((await only(admin.deleteAcls([aclOf(own)]))).deleted),
  },
  {
    java: 'alterUserScramCredentials',
    since: '2.7',
    samsa: (admin, own) =>
      done(
        admin.alterUserScramCredentials([
          { user: own, mechanism: 'SCRAM-SHA-256', password: 'secret', iterations: 4096 },
        ]),
      ),
    until: (admin) => everywhere(() => admin.describeUserScramCredentials(), 2),
  },
  {
    java: 'describeUserScramCredentials',
    since: '2.7',
    samsa: async (admin) =>
      byKey(
        (await admin.describeUserScramCredentials()).map(({ user, credentials }) => [
          user,
          credentials.map(({ mechanism, iterations }) => `${mechanism}:${iterations}`),
        ]),
      ),
  },
  {
    java: 'alterClientQuotas',
    since: '2.6',
    samsa: (admin, own) =>
      done(admin.alterClientQuotas([{ entity: { user: own }, set: { producer_byte_rate: 1000 } }])),
    until: (admin) => everywhere(() => admin.describeClientQuotas({ user: true }), 2),
  },
  {
    java: 'describeClientQuotas',
    since: '2.6',
    samsa: async (admin) =>
      byKey(
        (await admin.describeClientQuotas({ user: true })).map(({ entity, quotas }) => [
          String(entity.user),
          quotas,
        ]),
      ),
  },
  {
    java: 'createDelegationToken',
    name: 'createDelegationToken (without a login)',
    since: '1.1',
    samsa: (admin) => done(admin.createDelegationToken()),
  },
  {
    java: 'renewDelegationToken',
    name: 'renewDelegationToken (without a login)',
    since: '1.1',
    samsa: (admin) => done(admin.renewDelegationToken('AQI=')),
  },
  {
    java: 'expireDelegationToken',
    name: 'expireDelegationToken (without a login)',
    since: '1.1',
    samsa: (admin) => done(admin.expireDelegationToken('AQI=')),
  },
  {
    java: 'describeDelegationToken',
    name: 'describeDelegationToken (without a login)',
    since: '1.1',
    samsa: async (admin) => (await admin.describeDelegationTokens()).length,
  },
]
