import type { PartitionDescription, TopicDescription } from '../../../../src/index.ts'
import { NO_UUID, done, only } from './forms.ts'
import type { Operation } from './operation.ts'

function partitionOf(found: PartitionDescription) {
  return {
    partition: found.partition,
    leader: found.leader ?? -1,
    replicas: found.replicas,
    isr: [...found.isr].sort((a, b) => a - b),
    elr: found.eligibleLeaderReplicas ?? 'none',
    lastKnownElr: found.lastKnownEligibleLeaderReplicas ?? 'none',
  }
}

function topicOf({ topic, topicId = NO_UUID, isInternal, partitions }: TopicDescription) {
  return [topic, topicId, isInternal, partitions.map(partitionOf)]
}

/** Topics, by name and by id. */
export const TOPIC_OPERATIONS: readonly Operation[] = [
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
      const one = await only(admin.describeTopicsById([topicIds.get('samsa') ?? NO_UUID]))
      return topicOf({ topic: '', ...one })
    },
    words: (_, { topicIds }) => [topicIds.get('samsa') ?? NO_UUID],
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
]
