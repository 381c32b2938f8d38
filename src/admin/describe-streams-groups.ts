/**
 * Groups of Kafka Streams (KIP-1071): the topics and stores of a topology, and the tasks of each
 * member.
 */
import {
  streamsGroupDescribe,
  type StreamsGroupDescribeResponse,
} from '../../protocol/apis/streams-group-describe.ts'
import type { Recipient } from '../cluster/recipient.ts'
import { requiresKafka } from '../errors.ts'
import {
  byId,
  groupError,
  newerGroup,
  newerMember,
  type DescribedGroup,
  type DescribeSettings,
} from './described-group.ts'
import type {
  StreamsTaskOffset,
  StreamsTasks,
  StreamsTopic,
  StreamsTopology,
  StreamsTopologyDescription,
  StreamsTopologyNode,
} from './streams-group.ts'
import { compareText, exactNumber, outcomeFrom } from './items.ts'

const WITH_TOPOLOGY_DESCRIPTION = 1
/** Kafka's numbers of `topologyDescriptionStatus`. */
const STATUSES = ['notRequested', 'notStored', 'error', 'available'] as const
/** Kafka's numbers of `nodeType`. */
const NODE_TYPES = ['source', 'processor', 'sink'] as const

type Group = StreamsGroupDescribeResponse['groups'][number]
type Member = Group['members'][number]
type Subtopology = NonNullable<NonNullable<Group['topology']>['subtopologies']>[number]
type Described = NonNullable<Group['topologyDescription']>
type Node = Described['subtopologies'][number]['nodes'][number]

/** Members of streams groups have tasks, not partitions: `assignment` is empty. */
export async function describeStreams(
  groups: readonly string[],
  recipient: Recipient,
  { includeAuthorizedOperations, includeTopologyDescription }: DescribeSettings,
): Promise<readonly DescribedGroup[]> {
  const response = await recipient.request(streamsGroupDescribe, (version) => {
    if (includeTopologyDescription && version < WITH_TOPOLOGY_DESCRIPTION) {
      throw requiresKafka('describing groups: includeTopologyDescription', '4.4', {
        broker: recipient.name,
      })
    }
    return {
      groupIds: [...groups],
      includeAuthorizedOperations,
      ...(version < WITH_TOPOLOGY_DESCRIPTION ? {} : { includeTopologyDescription }),
    }
  })
  return response.groups.map((found) => {
    const { errorCode, groupId, errorMessage } = found
    const error = groupError(errorCode, groupId, recipient, errorMessage)
    return outcomeFrom(groupId, error, () => ({
      ...newerGroup({ ...found, assignorName: found.assignorName ?? '' }, 'streams'),
      ...(found.topology === null ? {} : { topology: topologyOf(found.topology) }),
      ...(includeTopologyDescription
        ? { topologyDescriptionStatus: STATUSES[found.topologyDescriptionStatus] ?? 'error' }
        : {}),
      ...(found.topologyDescription === null
        ? {}
        : { topologyDescription: topologyDescriptionOf(found.topologyDescription) }),
      members: byId(
        found.members.map((member) => ({
          ...newerMember(member),
          ...(member.instanceId === null ? {} : { instanceId: member.instanceId }),
          assignment: [],
          isClassic: member.isClassic,
          streams: {
            topologyEpoch: member.topologyEpoch,
            processId: member.processId,
            ...(member.userEndpoint === null
              ? {}
              : {
                  userEndpoint: { host: member.userEndpoint.host, port: member.userEndpoint.port },
                }),
            clientTags: recordOf(member.clientTags),
            tasks: tasksOf(member.assignment),
            targetTasks: tasksOf(member.targetAssignment),
            taskOffsets: taskOffsetsOf(member.taskOffsets),
            taskEndOffsets: taskOffsetsOf(member.taskEndOffsets),
          },
        })),
      ),
    }))
  })
}

function topologyOf({ epoch, subtopologies }: NonNullable<Group['topology']>): StreamsTopology {
  return {
    epoch,
    subtopologies: (subtopologies ?? [])
      .map((one) => ({
        subtopology: one.subtopologyId,
        sourceTopics: [...one.sourceTopics].sort(compareText),
        repartitionSinkTopics: [...one.repartitionSinkTopics].sort(compareText),
        stateChangelogTopics: topicsOf(one.stateChangelogTopics),
        repartitionSourceTopics: topicsOf(one.repartitionSourceTopics),
      }))
      .sort((a, b) => compareText(a.subtopology, b.subtopology)),
  }
}

function topicsOf(topics: Subtopology['stateChangelogTopics']): readonly StreamsTopic[] {
  return topics
    .map(({ name, partitions, replicationFactor, topicConfigs }) => ({
      topic: name,
      partitions,
      replicationFactor,
      configs: recordOf(topicConfigs),
    }))
    .sort((a, b) => compareText(a.topic, b.topic))
}

function topologyDescriptionOf({
  subtopologies,
  globalStores,
}: Described): StreamsTopologyDescription {
  return {
    subtopologies: subtopologies
      .map(({ subtopologyId, nodes }) => ({
        subtopology: subtopologyId,
        nodes: nodes.map(nodeOf).sort((a, b) => compareText(a.name, b.name)),
      }))
      .sort((a, b) => compareText(a.subtopology, b.subtopology)),
    globalStores: globalStores.map(({ source, processor }) => ({
      source: nodeOf(source),
      processor: nodeOf(processor),
    })),
  }
}

function nodeOf({
  name,
  nodeType,
  sourceTopics,
  sinkTopic,
  stores,
  successors,
}: Node): StreamsTopologyNode {
  const sorted = (names: readonly string[]) => [...names].sort(compareText)
  return {
    name,
    type: NODE_TYPES[nodeType] ?? 'unknown',
    ...(sourceTopics.length === 0 ? {} : { sourceTopics: sorted(sourceTopics) }),
    ...(sinkTopic === null ? {} : { sinkTopic }),
    ...(stores.length === 0 ? {} : { stores: sorted(stores) }),
    successors: sorted(successors),
  }
}

function tasksOf({ activeTasks, standbyTasks, warmupTasks }: Member['assignment']): StreamsTasks {
  const tasks = (found: typeof activeTasks) =>
    found
      .map(({ subtopologyId, partitions }) => ({
        subtopology: subtopologyId,
        partitions: [...partitions].sort((a, b) => a - b),
      }))
      .sort((a, b) => compareText(a.subtopology, b.subtopology))
  return { active: tasks(activeTasks), standby: tasks(standbyTasks), warmup: tasks(warmupTasks) }
}

function taskOffsetsOf(offsets: Member['taskOffsets']): readonly StreamsTaskOffset[] {
  return offsets
    .map(({ subtopologyId: subtopology, partition, offset }) => ({
      subtopology,
      partition,
      offset: exactNumber(offset, `the offset of task ${subtopology}_${partition}`),
    }))
    .sort((a, b) => compareText(a.subtopology, b.subtopology) || a.partition - b.partition)
}

function recordOf(entries: readonly { readonly key: string; readonly value: string }[]) {
  const sorted = [...entries].sort((a, b) => compareText(a.key, b.key))
  return Object.fromEntries(sorted.map(({ key, value }) => [key, value]))
}
