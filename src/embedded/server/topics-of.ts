import type { ClusterState } from '../cluster/cluster-state.ts'
import type { ServingBroker } from '../api/context.ts'
import type { Call } from '../api/handler.ts'

/** The fields in which requests list their topics, and the fields with a topic's name or id. */
const LISTS = ['topics', 'topicData', 'topicNames']
const NAMES = ['name', 'topic', 'topicName']

/** The names of the topics in a request; for a Fetch or ShareFetch including those of its session. */
export function topicsOf(
  { body }: Call,
  cluster: ClusterState,
  broker: ServingBroker,
): readonly string[] {
  const names = new Set<string>()
  const addById = (id: unknown) => {
    const topic = typeof id === 'string' ? cluster.topics.byId(id) : undefined
    if (topic !== undefined) names.add(topic.name)
  }
  for (const list of LISTS) {
    const listed = body[list]
    if (!Array.isArray(listed)) continue
    const topics: readonly unknown[] = listed
    for (const topic of topics) {
      if (typeof topic === 'string') names.add(topic)
      if (typeof topic !== 'object' || topic === null) continue
      for (const [field, value] of Object.entries(topic)) {
        if (field === 'topicId') addById(value)
        else if (NAMES.includes(field) && typeof value === 'string') names.add(value)
      }
    }
  }
  if (typeof body['sessionId'] === 'number') {
    for (const { topic, topicId } of broker.fetchSessions.partitionsOf(body['sessionId'])) {
      if (topicId === undefined) names.add(topic)
      else addById(topicId)
    }
  }
  const { groupId, memberId, shareSessionEpoch } = body
  // A ShareAcknowledge is only about the topics that it names.
  const isShareFetch = typeof shareSessionEpoch === 'number' && 'forgottenTopicsData' in body
  if (isShareFetch && typeof groupId === 'string' && typeof memberId === 'string') {
    const session = broker.shareSessions.find({ groupId, memberId, shareSessionEpoch })
    for (const { topicId } of session?.partitions.values() ?? []) addById(topicId)
  }
  return [...names]
}
