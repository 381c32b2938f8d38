import { expect, it } from '@jest/globals'
import { listGroups } from '../../../protocol/apis/list-groups.ts'
import { streamsGroupDescribe } from '../../../protocol/apis/streams-group-describe.ts'
import { KafkaClient } from '../../../src/index.ts'
import { FakeBroker } from '../../support/fake-broker.ts'
import { layoutOf, QUICK, tellCoordinator, tellLayout } from '../../support/fake-cluster.ts'

const NO_TASKS = { activeTasks: [], standbyTasks: [], warmupTasks: [] }
const node = { sourceTopics: [], stores: [], successors: [] }

async function streamsBroker(versions: readonly [number, number]): Promise<FakeBroker> {
  const broker = await FakeBroker.start({ versions: { StreamsGroupDescribe: versions } })
  tellLayout(layoutOf([broker]), broker)
  tellCoordinator(broker)
  broker.handle(listGroups, () => ({
    errorCode: 0,
    groups: [
      { groupId: 'words', protocolType: 'streams', groupState: 'Stable', groupType: 'streams' },
      { groupId: 'readers', protocolType: 'consumer', groupState: 'Stable', groupType: 'consumer' },
    ],
  }))
  broker.handle(streamsGroupDescribe, (request, { version }) => ({
    throttleTimeMs: 0,
    groups: request.groupIds.map((groupId) => ({
      errorCode: 0,
      authorizedOperations: -0x80000000,
      groupId,
      groupState: 'Stable',
      groupEpoch: 5,
      assignmentEpoch: 4,
      topology: {
        epoch: 2,
        subtopologies: [
          {
            subtopologyId: '0',
            sourceTopics: ['z-lines', 'a-lines'],
            repartitionSinkTopics: [],
            stateChangelogTopics: [
              {
                name: 'words-counts-changelog',
                partitions: 3,
                replicationFactor: 0,
                topicConfigs: [{ key: 'cleanup.policy', value: 'compact' }],
              },
            ],
            repartitionSourceTopics: [],
          },
        ],
      },
      members: [
        {
          memberId: 'm1',
          memberEpoch: 4,
          clientId: 'words-1',
          clientHost: '/127.0.0.1',
          topologyEpoch: 2,
          processId: 'p1',
          userEndpoint: { host: 'app-1', port: 8080 },
          clientTags: [{ key: 'zone', value: 'b' }],
          taskOffsets: [{ subtopologyId: '0', partition: 1, offset: 7n }],
          taskEndOffsets: [],
          assignment: { ...NO_TASKS, activeTasks: [{ subtopologyId: '0', partitions: [2, 0] }] },
          targetAssignment: { ...NO_TASKS, warmupTasks: [{ subtopologyId: '0', partitions: [1] }] },
          isClassic: false,
        },
      ],
      ...(version < 1
        ? {}
        : {
            assignorName: 'sticky',
            topologyDescriptionStatus: request.includeTopologyDescription ? 3 : 0,
            topologyDescription: request.includeTopologyDescription
              ? {
                  subtopologies: [
                    {
                      subtopologyId: '0',
                      nodes: [
                        { ...node, name: 'to', nodeType: 2, sinkTopic: 'counts' },
                        {
                          ...node,
                          name: 'from',
                          nodeType: 0,
                          sourceTopics: ['lines'],
                          successors: ['to'],
                        },
                      ],
                    },
                  ],
                  globalStores: [],
                }
              : null,
          }),
    })),
  }))
  return broker
}

it('the admin client describes the topology of a streams group and the tasks of its members', async () => {
  await using broker = await streamsBroker([0, 1])
  await using client = new KafkaClient({ ...QUICK, hosts: broker.name })
  const [described] = await client.admin.describeGroups(['words'], {
    includeTopologyDescription: true,
  })
  expect(described).toEqual({
    group: 'words',
    type: 'streams',
    state: 'Stable',
    assignor: 'sticky',
    groupEpoch: 5,
    assignmentEpoch: 4,
    topology: {
      epoch: 2,
      subtopologies: [
        {
          subtopology: '0',
          sourceTopics: ['a-lines', 'z-lines'],
          repartitionSinkTopics: [],
          stateChangelogTopics: [
            {
              topic: 'words-counts-changelog',
              partitions: 3,
              replicationFactor: 0,
              configs: { 'cleanup.policy': 'compact' },
            },
          ],
          repartitionSourceTopics: [],
        },
      ],
    },
    topologyDescriptionStatus: 'available',
    topologyDescription: {
      subtopologies: [
        {
          subtopology: '0',
          nodes: [
            { name: 'from', type: 'source', sourceTopics: ['lines'], successors: ['to'] },
            { name: 'to', type: 'sink', sinkTopic: 'counts', successors: [] },
          ],
        },
      ],
      globalStores: [],
    },
    members: [
      {
        memberId: 'm1',
        clientId: 'words-1',
        clientHost: '/127.0.0.1',
        memberEpoch: 4,
        assignment: [],
        isClassic: false,
        streams: {
          topologyEpoch: 2,
          processId: 'p1',
          userEndpoint: { host: 'app-1', port: 8080 },
          clientTags: { zone: 'b' },
          tasks: { active: [{ subtopology: '0', partitions: [0, 2] }], standby: [], warmup: [] },
          targetTasks: {
            active: [],
            standby: [],
            warmup: [{ subtopology: '0', partitions: [1] }],
          },
          taskOffsets: [{ subtopology: '0', partition: 1, offset: 7 }],
          taskEndOffsets: [],
        },
      },
    ],
  })
})

it('the admin client names the release that describes topologies, and describes without it', async () => {
  await using broker = await streamsBroker([0, 0])
  await using client = new KafkaClient({ ...QUICK, hosts: broker.name })
  const { admin } = client
  const [asked] = await admin.describeGroups(['words'], { includeTopologyDescription: true })
  expect(asked?.error).toMatchObject({ code: 'UNSUPPORTED_VERSION' })
  expect(asked?.error?.message).toContain('Kafka 4.4')
  expect((await admin.describeGroups(['words']))[0]).toMatchObject({ state: 'Stable' })
})

it('the admin client lists only the groups of the requested protocol types', async () => {
  await using broker = await streamsBroker([0, 1])
  await using client = new KafkaClient({ ...QUICK, hosts: broker.name })
  const { groups } = await client.admin.listGroups({ protocolTypes: ['streams'] })
  expect(groups.map(({ group }) => group)).toEqual(['words'])
})
