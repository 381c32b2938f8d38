import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import type { ADMIN_OPTION_SECTIONS } from '../../../build/admin-option-sections.ts'
import { InvalidArgumentError, KafkaClient } from '../../../src/index.ts'
import { failureOf } from '../../support/settled.ts'

let client: KafkaClient

beforeAll(() => {
  client = new KafkaClient({ hosts: '127.0.0.1:1' })
})
afterAll(() => client.close())

const at = { topic: 't', partition: 0 }
const DIRECTORY = 'AAAAAAAAAAAAAAAAAAAAAA'
const LISTENER = { name: 'CONTROLLER', host: 'c', port: 9093 }
type Admin = KafkaClient['admin']

/**
 * Each call that takes items: the table of docs/admin.md that has their fields, a valid item, a field of it that is
 * required, and a value that a field may not have. An item is `any` thing here, as in JavaScript.
 */
const CALLS: readonly (readonly [
  name: string,
  table: keyof typeof ADMIN_OPTION_SECTIONS | undefined,
  call: (admin: Admin, item: never) => Promise<unknown>,
  item: object,
  required: string | undefined,
  wrong: object,
])[] = [
  [
    'createTopics',
    'NewTopic',
    (a, i) => a.createTopics([i]),
    { topic: 't' },
    'topic',
    { partitions: 0 },
  ],
  [
    'configs of createTopics',
    'NewTopic',
    (a, i) => a.createTopics([i]),
    { topic: 't' },
    'topic',
    { configs: { 'retention.ms': 1 } },
  ],
  [
    'createPartitions',
    'NewPartitions',
    (a, i) => a.createPartitions([i]),
    { topic: 't', count: 2 },
    'count',
    { assignments: [1] },
  ],
  [
    'deleteRecords',
    'RecordsToDelete',
    (a, i) => a.deleteRecords([i]),
    { ...at, beforeOffset: 5 },
    'beforeOffset',
    { beforeOffset: -2 },
  ],
  [
    'describeConfigs',
    'ConfigResource',
    (a, i) => a.describeConfigs([i]),
    { type: 'topic', name: 't' },
    'name',
    { type: 'topics' },
  ],
  [
    'incrementalAlterConfigs',
    'ConfigChange',
    (a, i) => a.incrementalAlterConfigs([i]),
    { type: 'topic', name: 't', set: { a: '1' } },
    'type',
    { set: { a: 1 } },
  ],
  [
    'createAcls',
    'NewAcl',
    (a, i) => a.createAcls([i]),
    { resourceType: 'topic', resourceName: 't', principal: 'User:a', operation: 'read' },
    'operation',
    { operation: 'reed' },
  ],
  ['describeAcls', 'AclFilter', (a, i) => a.describeAcls(i), {}, undefined, { permission: 'yes' }],
  [
    'deleteAcls',
    'AclFilter',
    (a, i) => a.deleteAcls([i]),
    { host: '*' },
    undefined,
    { patternType: 'glob' },
  ],
  [
    'a password of alterUserScramCredentials',
    'ScramUpsertion',
    (a, i) => a.alterUserScramCredentials([i]),
    { user: 'u', mechanism: 'SCRAM-SHA-256', password: 'p' },
    'mechanism',
    { iterations: 0 },
  ],
  [
    'a deletion of alterUserScramCredentials',
    'ScramDeletion',
    (a, i) => a.alterUserScramCredentials([i]),
    { user: 'u', mechanism: 'SCRAM-SHA-256', delete: true },
    'user',
    { delete: false },
  ],
  [
    'describeClientQuotas',
    'QuotaFilter',
    (a, i) => a.describeClientQuotas(i),
    {},
    undefined,
    { strict: 1 },
  ],
  [
    'alterClientQuotas',
    'QuotaChange',
    (a, i) => a.alterClientQuotas([i]),
    { entity: { user: 'u' }, set: { producer_byte_rate: 1 } },
    'entity',
    { set: { producer_byte_rate: '1' } },
  ],
  [
    'an entity of alterClientQuotas',
    'QuotaEntity',
    (a, i) => a.alterClientQuotas([{ entity: i, set: { producer_byte_rate: 1 } }]),
    { user: 'u' },
    undefined,
    { clientId: 7 },
  ],
  [
    'listGroupOffsets',
    'GroupPartitions',
    (a, i) => a.listGroupOffsets([i]),
    { group: 'g', partitions: [at] },
    'partitions',
    { group: '' },
  ],
  [
    'listShareGroupOffsets',
    'GroupPartitions',
    (a, i) => a.listShareGroupOffsets([i]),
    { group: 'g', partitions: [at] },
    'group',
    { partitions: 0 },
  ],
  [
    'alterGroupOffsets',
    'OffsetToSet',
    (a, i) => a.alterGroupOffsets('g', [i]),
    { ...at, offset: 1 },
    'offset',
    { leaderEpoch: -1 },
  ],
  [
    'alterShareGroupOffsets',
    'ShareGroupOffsetToSet',
    (a, i) => a.alterShareGroupOffsets('g', [i]),
    { ...at, startOffset: 1 },
    'startOffset',
    { startOffset: 0.5 },
  ],
  [
    'planOffsetReset',
    'OffsetResetRequest',
    (a, i) => a.planOffsetReset(i),
    { group: 'g', to: 'latest' },
    'to',
    { to: { by: 1, offsets: [] } },
  ],
  [
    'planReassignment',
    'ReassignmentRequest',
    (a, i) => a.planReassignment(i),
    { topics: ['t'] },
    'topics',
    { replicationFactor: 0 },
  ],
  [
    'a reset of apply',
    undefined,
    (a, i) => a.apply({ kind: 'offsetReset', group: 'g', offsets: [i] }),
    { ...at, from: 1, to: 2 },
    undefined,
    { to: '2' },
  ],
  [
    'a move of apply',
    undefined,
    (a, i) => a.apply({ kind: 'reassignment', moves: [i] }),
    { ...at, from: [1], to: [2] },
    'from',
    { to: [] },
  ],
  [
    'alterPartitionReassignments',
    'NewReassignment',
    (a, i) => a.alterPartitionReassignments([i]),
    { ...at, replicas: [1] },
    'replicas',
    { replicas: ['1'] },
  ],
  [
    'alterReplicaLogDirs',
    'ReplicaMove',
    (a, i) => a.alterReplicaLogDirs([i]),
    { ...at, broker: 1, logDir: '/d' },
    'logDir',
    { logDir: '' },
  ],
  [
    'updateFeatures',
    'FeatureUpdate',
    (a, i) => a.updateFeatures([i]),
    { feature: 'f', version: 1 },
    'version',
    { upgradeType: 'down' },
  ],
  [
    'removeRaftVoter',
    'RaftVoter',
    (a, i) => a.removeRaftVoter(i),
    { voter: 1, directoryId: DIRECTORY },
    'directoryId',
    { voter: -1 },
  ],
  [
    'addRaftVoter',
    'NewRaftVoter',
    (a, i) => a.addRaftVoter(i),
    { voter: 1, directoryId: DIRECTORY, listeners: [LISTENER] },
    'listeners',
    { listeners: [] },
  ],
  [
    'a listener of addRaftVoter',
    'RaftListener',
    (a, i) => a.addRaftVoter({ voter: 1, directoryId: DIRECTORY, listeners: [i] }),
    LISTENER,
    'port',
    { port: 0 },
  ],
]

describe.each(CALLS)('the items of %s', (_name, _table, call, item, required, wrong) => {
  const refusal = async (given: object): Promise<string> => {
    const failed = await failureOf(call(client.admin, given as never))
    expect(failed).toBeInstanceOf(InvalidArgumentError)
    return failed.message
  }

  it('reject an unknown field by name', async () => {
    expect(await refusal({ ...item, unknwon: 1 })).toContain("has no option 'unknwon'")
  })

  it('reject a value that is not valid by the name of its field', async () => {
    const [field] = Object.keys(wrong)
    // An empty list of listeners is named by what it lacks.
    const named = new RegExp(`option '${field!}'|has no ${field!}|{ type, name }`)
    expect(await refusal({ ...item, ...wrong })).toMatch(named)
  })

  it('name a field that is required', async () => {
    if (required === undefined) return
    const named = new RegExp(
      `'${required}'|a ${required} must be|{ type, name }|{ topic, partition`,
    )
    expect(await refusal({ ...item, [required]: undefined })).toMatch(named)
  })
})

it('there is a call for each table of items in docs/admin.md', () => {
  const [, items] = readFileSync('docs/admin.md', 'utf8').split('\n## Items\n')
  const tables = [...items!.matchAll(/<!-- options: (\w+) -->/g)].map(([, table]) => table)
  // The test below has these, which may have further fields.
  const named = ['TopicPartition', 'PartitionReplica', 'OpenTransaction']
  const called = new Set<string | undefined>(CALLS.map(([, table]) => table))
  expect(tables.filter((table) => !called.has(table))).toEqual(named)
})

it('partitions, replicas and transactions that a call names may have further fields', async () => {
  const { admin } = client
  const signal = AbortSignal.abort(new Error('sent'))
  const more = { ...at, offset: 5, leader: 1 }
  for (const call of [
    () => admin.listOffsets([more], 'latest', { signal }),
    () => admin.deleteGroupOffsets('g', [more], { signal }),
    () => admin.describeReplicaLogDirs([{ ...more, broker: 1 }], { signal }),
    () => admin.abortTransaction({ ...more, producerId: 1, producerEpoch: 0 }, { signal }),
  ]) {
    expect((await failureOf(call())).message).toBe('sent')
  }
})
